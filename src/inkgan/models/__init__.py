"""Networks: `generator(z, y) -> images` in [-1, 1], `discriminator(images, y) -> logits (n,)`."""

"""Recipes as TOML, and overrides of single fields."""

from pathlib import Path
from random import Random

from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import from_toml, override, read_recipe, to_toml
from tests.fuzz.harness import FileReader, Reader, register
from tests.fuzz.mutators import HOSTILE_WORDS


@register
class RecipeFile(FileReader):
    """recipe.toml: whatever is accepted must survive being written and read again."""

    name, file = "recipe", "recipe.toml"
    inputs = 150

    def prepare(self, folder: Path) -> None:
        """Write a recipe with every kind of field."""
        (folder / self.file).write_text(to_toml(RECIPES["flagship"]), encoding="utf-8")

    def read(self, folder: Path) -> Recipe:
        """Read it."""
        return read_recipe(folder / self.file)

    def check(self, value: Recipe, intact: Recipe, warned: bool) -> None:
        """A recipe without a checksum may be another one, but not change when it is written."""
        assert from_toml(to_toml(value)) == value


@register
class Overrides(Reader):
    """Texts such as "optim.lr=1e-4": one field changes, and only that one."""

    name = "overrides"
    inputs = 300
    fields = ("optim.lr", "schedule.epochs", "seed", "data.size", "model.generator.layers", "notes")

    def prepare(self, folder: Path) -> None:
        """Write a possible assignment."""
        (folder / "text").write_text("optim.lr=1e-4", encoding="utf-8")

    def mutate(self, chance: Random, folder: Path) -> str:
        """Write an assignment with hostile words, quotes and line breaks."""
        words = [chance.choice((*HOSTILE_WORDS, "1", "seed = 2", "#", '"')) for _ in range(3)]
        value = "".join(words[: chance.randint(1, 3)])
        text = f"{chance.choice((*self.fields, *HOSTILE_WORDS))}={value}"
        (folder / "text").write_bytes(text.encode("utf-8", "surrogatepass"))
        return repr(text[:200])

    def read(self, folder: Path) -> Recipe:
        """Apply it."""
        text = (folder / "text").read_bytes().decode("utf-8", "surrogatepass")
        return override(RECIPES["dcgan"], [text])

    def check(self, value: Recipe, intact: Recipe, warned: bool) -> None:
        """What is accepted can be written and read."""
        assert from_toml(to_toml(value)) == value

"""The classes of the built-in data sets, in the order of their labels."""

DIGITS = tuple("0123456789")
FASHION = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
PHOTOGRAPHS = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

"""A subset of regular expressions that draws texts: [0-9]{4,8} or (19|20)[0-9]{2}.

Known are digits, marks and spaces, \\d, classes such as [0-9] or [137], groups with alternatives,
and the quantifiers {n}, {n,m} and ?. A text is drawn by choosing evenly at each place: a character
of a class, an alternative of a group, a number of repetitions.
"""

from dataclasses import dataclass

import numpy as np

from inkgan.errors import ConfigError
from inkgan.handwriting.text import DIGITS, PUNCTUATION, SPACE

WRITABLE = DIGITS + PUNCTUATION + SPACE
MAX_REPEATS = 200
DEEPEST = 20  # groups within groups


@dataclass(frozen=True)
class OneOf:
    """One character of several."""

    characters: str

    def draw(self, random: np.random.Generator) -> str:
        """Draw a character."""
        if len(self.characters) == 1:
            return self.characters
        return self.characters[int(random.integers(len(self.characters)))]

    def longest(self) -> int:
        """Return the length of the longest text."""
        return 1


@dataclass(frozen=True)
class Repeated:
    """A node that comes several times."""

    node: "Node"
    fewest: int
    most: int

    def draw(self, random: np.random.Generator) -> str:
        """Draw the number of repetitions, then each of them."""
        count = int(random.integers(self.fewest, self.most + 1))
        if isinstance(self.node, OneOf):  # the usual case, at once
            choices = random.integers(len(self.node.characters), size=count).tolist()
            return "".join(self.node.characters[choice] for choice in choices)
        return "".join(self.node.draw(random) for _ in range(count))

    def longest(self) -> int:
        """Return the length of the longest text."""
        return self.most * self.node.longest()


@dataclass(frozen=True)
class Joined:
    """Nodes one after another."""

    nodes: tuple["Node", ...]

    def draw(self, random: np.random.Generator) -> str:
        """Draw each of them."""
        return "".join(node.draw(random) for node in self.nodes)

    def longest(self) -> int:
        """Return the length of the longest text."""
        return sum(node.longest() for node in self.nodes)


@dataclass(frozen=True)
class Alternatives:
    """One node of several."""

    nodes: tuple["Node", ...]

    def draw(self, random: np.random.Generator) -> str:
        """Choose a node, then draw it."""
        return self.nodes[int(random.integers(len(self.nodes)))].draw(random)

    def longest(self) -> int:
        """Return the length of the longest text."""
        return max(node.longest() for node in self.nodes)


Node = OneOf | Repeated | Joined | Alternatives


def parse_expression(pattern: str) -> Node:
    """Read a pattern.

    Raises:
        ConfigError: names the place and what is wrong there.

    Example:
        >>> parse_expression("[0-9]{4,8}").longest()
        8
    """
    return _Parser(pattern).whole()


class _Parser:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.place, self.depth = pattern, 0, 0

    def whole(self) -> Node:
        node = self.alternatives()
        if self.place < len(self.pattern):
            raise self.error("a ) without its (")
        return node

    def alternatives(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"more than {DEEPEST} groups within each other")
        nodes = [self.joined()]
        while self.take("|"):
            nodes.append(self.joined())
        self.depth -= 1
        return nodes[0] if len(nodes) == 1 else Alternatives(tuple(nodes))

    def joined(self) -> Node:
        nodes: list[Node] = []
        while self.place < len(self.pattern) and self.pattern[self.place] not in "|)":
            nodes.append(self.quantified())
        return Joined(tuple(nodes))

    def quantified(self) -> Node:
        node = self.atom()
        if self.take("?"):
            return Repeated(node, 0, 1)
        if not self.take("{"):
            return node
        end = self.pattern.find("}", self.place)
        fewest, comma, most = self.pattern[self.place : end].partition(",")
        numbers = [fewest, most] if comma else [fewest, fewest]
        if end < 0 or not all(n.isascii() and n.isdecimal() and len(n) < 6 for n in numbers):
            raise self.error("write {4} or {4,8}")
        low, high = map(int, numbers)
        if not low <= high <= MAX_REPEATS:
            raise self.error(f"{{{low},{high}}}: at most {MAX_REPEATS}, the smaller first")
        self.place = end + 1
        return Repeated(node, low, high)

    def atom(self) -> Node:
        character = self.pattern[self.place]
        self.place += 1
        if character == "(":
            node = self.alternatives()
            if not self.take(")"):
                raise self.error("a ( without its )")
            return node
        if character == "[":
            return self.character_class()
        if character == "\\":
            escaped = self.pattern[self.place : self.place + 1]
            self.place += 1
            if escaped == "d":
                return OneOf(DIGITS)
            character = escaped
        if not character or character not in WRITABLE:
            self.place -= 1
            raise self.error(
                f"{character!r} is neither writable nor understood; possible are digits, spaces, "
                f"{' '.join(PUNCTUATION)}, [0-9], ( | ), ? and {{4,8}}"
            )
        return OneOf(character)

    def character_class(self) -> Node:
        end = self.pattern.find("]", self.place)
        inside = self.pattern[self.place : end]
        if end < 0 or not inside:
            raise self.error("write a class such as [0-9] or [137]")
        characters = ""
        place = 0
        while place < len(inside):
            first = inside[place]
            if inside[place + 1 : place + 2] == "-" and place + 2 < len(inside):
                last = inside[place + 2]
                if first not in DIGITS or last not in DIGITS or first > last:
                    raise self.error(f"the range {first}-{last} is impossible")
                characters += DIGITS[int(first) : int(last) + 1]
                place += 3
            else:
                if first not in WRITABLE:
                    raise self.error(f"{first!r} in a class cannot be written")
                characters += first
                place += 1
        self.place = end + 1
        return OneOf("".join(dict.fromkeys(characters)))

    def take(self, expected: str) -> bool:
        if self.pattern[self.place : self.place + 1] == expected:
            self.place += 1
            return True
        return False

    def error(self, what: str) -> ConfigError:
        return ConfigError(f"`pattern` {self.pattern!r}: at place {self.place + 1}: {what}")

"""The known data sets: files, SHA-256, mirrors, classes.

The hashes were checked against at least two independent published lists (TensorFlow Datasets'
url_checksums and torchvision or Keras); MNIST's were computed from the files as well.
"""

from dataclasses import dataclass
from typing import NamedTuple

from inkgan.data.download import RemoteFile

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


class Pair(NamedTuple):
    """The names of a split's two files."""

    images: str
    labels: str


def _pair(prefix: str) -> Pair:
    return Pair(f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz")


TRAIN, TEST = _pair("train"), _pair("t10k")


@dataclass(frozen=True)
class IdxSet:
    """A data set of 28x28 images in IDX files, fetched one by one or inside one zip archive.

    Attributes:
        aliases: folder names under which other programs keep the set.
        transposed: images are stored column by column.
        label_dimensions: 2 where a label file holds a row of numbers, the class first.
    """

    name: str
    classes: tuple[str, ...]
    aliases: tuple[str, ...]
    remote: tuple[RemoteFile, ...] = ()
    archive: RemoteFile | None = None
    train: Pair = TRAIN
    test: Pair = TEST
    transposed: bool = False
    label_dimensions: int = 1

    @property
    def file_names(self) -> tuple[str, ...]:
        """Names of all four files."""
        return (*self.train, *self.test)


def _files(hashes: dict[str, str], *mirrors: str) -> tuple[RemoteFile, ...]:
    """List files that lie under the same name on each mirror; {sha256} may stand in a mirror."""
    return tuple(
        RemoteFile(
            name,
            sha256,
            tuple(m.format(sha256=sha256) if "{" in m else m + name for m in mirrors),
        )
        for name, sha256 in hashes.items()
    )


_SOFTWARE_HERITAGE = "https://archive.softwareheritage.org/api/1/content/sha256:{sha256}/raw/"

_MNIST = IdxSet(
    "mnist",
    DIGITS,
    ("MNIST",),
    _files(
        {
            "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://raw.githubusercontent.com/fgnt/mnist/master/",
    ),
)

_FASHION_MNIST = IdxSet(
    "fashion-mnist",
    FASHION,
    ("FashionMNIST",),
    _files(
        {
            "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        _SOFTWARE_HERITAGE,
    ),
)

_KMNIST = IdxSet(
    "kmnist",
    KUZUSHIJI,
    ("KMNIST",),
    _files(
        {
            "train-images-idx3-ubyte.gz": "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            "train-labels-idx1-ubyte.gz": "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            "t10k-images-idx3-ubyte.gz": "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            "t10k-labels-idx1-ubyte.gz": "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        },
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "https://huggingface.co/datasets/tanganke/kmnist/resolve/"
        "53810959241e8f35890445245170c8cec0672f81/raw/",
    ),
)

_QMNIST = IdxSet(
    "qmnist",
    DIGITS,
    ("QMNIST",),
    _files(
        {
            "qmnist-train-images-idx3-ubyte.gz": "9e26a7bf1683614e065d7b76460ccd52807165b3f22561fb782bd9f38c52b51d",
            "qmnist-train-labels-idx2-int.gz": "2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f",
            "qmnist-test-images-idx3-ubyte.gz": "43fc22bf7498b8fc98de98369d72f752d0deabc280a43a7bcc364ab19e57b375",
            "qmnist-test-labels-idx2-int.gz": "9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06",
        },
        "https://raw.githubusercontent.com/facebookresearch/qmnist/master/",
        _SOFTWARE_HERITAGE,
    ),
    train=Pair("qmnist-train-images-idx3-ubyte.gz", "qmnist-train-labels-idx2-int.gz"),
    test=Pair("qmnist-test-images-idx3-ubyte.gz", "qmnist-test-labels-idx2-int.gz"),
    label_dimensions=2,
)

_EMNIST_DIGITS = IdxSet(
    "emnist-digits",
    DIGITS,
    ("EMNIST", "gzip"),
    # No second host is known to serve these very bytes: the Western Sydney copy is another zip.
    archive=RemoteFile(
        "gzip.zip",
        "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
        ("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",),
    ),
    train=_pair("emnist-digits-train"),
    test=_pair("emnist-digits-test"),
    transposed=True,
)

IDX_SETS: dict[str, IdxSet] = {
    spec.name: spec for spec in (_MNIST, _FASHION_MNIST, _KMNIST, _QMNIST, _EMNIST_DIGITS)
}

ARCHIVES: dict[str, RemoteFile] = {
    "cifar10": RemoteFile(
        "cifar-10-binary.tar.gz",
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        (
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/"
            "cifar-10-binary.tar.gz",
        ),
    ),
}

DESCRIPTIONS: dict[str, str] = {
    "mnist": "70,000 handwritten digits, 28x28 (LeCun, Cortes, Burges 1998)",
    "fashion-mnist": "70,000 pieces of clothing, 28x28 (Xiao et al. 2017)",
    "kmnist": "70,000 cursive Japanese characters, 28x28 (Clanuwat et al. 2018)",
    "emnist-digits": "280,000 handwritten digits, 28x28 (Cohen et al. 2017)",
    "qmnist": "MNIST rebuilt, with 60,000 test digits (Yadav and Bottou 2019)",
    "cifar10": "60,000 small photographs, 32x32 RGB (Krizhevsky 2009)",
    "stacked-mnist": "three MNIST digits as RGB, 1000 classes (Metz et al. 2017)",
    "uci-digits": "1,797 handwritten digits, built in (Alpaydin and Kaynak 1998)",
}

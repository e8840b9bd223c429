"""The data sets that the package knows, and those that a program adds.

The hashes were checked against at least two independent published lists (TensorFlow Datasets'
url_checksums and torchvision or Keras); MNIST's were computed from the files as well. Licenses are
those that `license_url` states, in MNIST's case Keras' documentation on behalf of its authors.
"""

import functools
import re
from dataclasses import replace as changed
from pathlib import Path

import numpy as np

from inkgan.data.class_names import DIGITS, FASHION, KUZUSHIJI, LETTERS, PHOTOGRAPHS
from inkgan.data.dataset_spec import DatasetSpec, IdxFiles, LoadedSplit, Pair, ReadRequest
from inkgan.data.download import RemoteFile
from inkgan.data.path_set import PATH_READERS, SUFFIX_PREFIXES, names_path, read_path
from inkgan.data.readers.cifar import read_cifar10
from inkgan.data.readers.derived import read_stacked, read_uci_digits
from inkgan.data.readers.idx_set import read_idx_set
from inkgan.errors import ConfigError, DataFormatError, did_you_mean
from inkgan.images import Shape

GRAY_28 = Shape(1, 28, 28)


def _pair(prefix: str) -> Pair:
    return Pair(f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz")


TRAIN, TEST = _pair("train"), _pair("t10k")


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

_MNIST_FILES = IdxFiles(
    TRAIN,
    TEST,
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

_FASHION_MNIST_FILES = IdxFiles(
    TRAIN,
    TEST,
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

_KMNIST_FILES = IdxFiles(
    TRAIN,
    TEST,
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

_QMNIST_FILES = IdxFiles(
    Pair("qmnist-train-images-idx3-ubyte.gz", "qmnist-train-labels-idx2-int.gz"),
    Pair("qmnist-test-images-idx3-ubyte.gz", "qmnist-test-labels-idx2-int.gz"),
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
    label_dimensions=2,
)

_EMNIST_DIGITS_FILES = IdxFiles(
    _pair("emnist-digits-train"),
    _pair("emnist-digits-test"),
    # No second host is known to serve these very bytes: the Western Sydney copy is another zip.
    archive=RemoteFile(
        "gzip.zip",
        "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
        ("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",),
    ),
    transposed=True,
)

_EMNIST_LETTERS_FILES = changed(
    _EMNIST_DIGITS_FILES,
    train=_pair("emnist-letters-train"),
    test=_pair("emnist-letters-test"),
    first_label=1,
)

_CIFAR10_FILE = RemoteFile(
    "cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    (
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/"
        "cifar-10-binary.tar.gz",
    ),
)

DATASETS: dict[str, DatasetSpec] = {
    spec.name: changed(spec, is_built_in=True)
    for spec in (
        DatasetSpec(
            name="mnist",
            title="70,000 handwritten digits, 28x28",
            citation="LeCun, Cortes, Burges 1998",
            reader=functools.partial(read_idx_set, "mnist", _MNIST_FILES, ("MNIST",), DIGITS),
            files=_MNIST_FILES,
            classes=DIGITS,
            shape=GRAY_28,
            train_images=60_000,
            test_images=10_000,
            license="cc-by-sa-3.0",
            license_url="https://keras.io/api/datasets/mnist/",
            hub_id="ylecun/mnist",
            folder_names=("MNIST",),
            evaluation="digits",
        ),
        DatasetSpec(
            name="fashion-mnist",
            title="70,000 pieces of clothing, 28x28",
            citation="Xiao et al. 2017",
            reader=functools.partial(
                read_idx_set, "fashion-mnist", _FASHION_MNIST_FILES, ("FashionMNIST",), FASHION
            ),
            files=_FASHION_MNIST_FILES,
            classes=FASHION,
            shape=GRAY_28,
            train_images=60_000,
            test_images=10_000,
            license="mit",
            license_url="https://github.com/zalandoresearch/fashion-mnist/blob/master/LICENSE",
            hub_id="zalando-datasets/fashion_mnist",
            similar_names=("fashion", "fmnist", "fashionmnist"),
            folder_names=("FashionMNIST",),
        ),
        DatasetSpec(
            name="kmnist",
            title="70,000 cursive Japanese characters, 28x28",
            citation="Clanuwat et al. 2018",
            reader=functools.partial(read_idx_set, "kmnist", _KMNIST_FILES, ("KMNIST",), KUZUSHIJI),
            files=_KMNIST_FILES,
            classes=KUZUSHIJI,
            shape=GRAY_28,
            train_images=60_000,
            test_images=10_000,
            license="cc-by-sa-4.0",
            license_url="https://github.com/rois-codh/kmnist#license",
            similar_names=("kuzushiji", "kuzushiji-mnist"),
            folder_names=("KMNIST",),
        ),
        DatasetSpec(
            name="emnist-digits",
            title="280,000 handwritten digits, 28x28",
            citation="Cohen et al. 2017",
            reader=functools.partial(
                read_idx_set, "emnist-digits", _EMNIST_DIGITS_FILES, ("EMNIST", "gzip"), DIGITS
            ),
            files=_EMNIST_DIGITS_FILES,
            classes=DIGITS,
            shape=GRAY_28,
            train_images=240_000,
            test_images=40_000,
            license_url="https://www.nist.gov/itl/products-and-services/emnist-dataset",
            similar_names=("emnist",),
            folder_names=("EMNIST", "gzip"),
            evaluation="digits",
        ),
        DatasetSpec(
            name="emnist-letters",
            title="145,600 handwritten letters, 28x28",
            citation="Cohen et al. 2017",
            reader=functools.partial(
                read_idx_set, "emnist-letters", _EMNIST_LETTERS_FILES, ("EMNIST", "gzip"), LETTERS
            ),
            files=_EMNIST_LETTERS_FILES,
            classes=LETTERS,
            shape=GRAY_28,
            train_images=124_800,
            test_images=20_800,
            license_url="https://www.nist.gov/itl/products-and-services/emnist-dataset",
            similar_names=("letters",),
            folder_names=("EMNIST", "gzip"),
        ),
        DatasetSpec(
            name="qmnist",
            title="MNIST rebuilt, with 60,000 test digits",
            citation="Yadav and Bottou 2019",
            reader=functools.partial(read_idx_set, "qmnist", _QMNIST_FILES, ("QMNIST",), DIGITS),
            files=_QMNIST_FILES,
            classes=DIGITS,
            shape=GRAY_28,
            train_images=60_000,
            test_images=60_000,
            license="bsd-3-clause",
            license_url="https://github.com/facebookresearch/qmnist/blob/main/LICENSE",
            folder_names=("QMNIST",),
            evaluation="digits",
        ),
        DatasetSpec(
            name="cifar10",
            title="60,000 small photographs, 32x32 RGB",
            citation="Krizhevsky 2009",
            reader=functools.partial(read_cifar10, _CIFAR10_FILE),
            files=_CIFAR10_FILE,
            classes=PHOTOGRAPHS,
            shape=Shape(3, 32, 32),
            train_images=50_000,
            test_images=10_000,
            license_url="https://www.cs.toronto.edu/~kriz/cifar.html",
            hub_id="uoft-cs/cifar10",
            similar_names=("cifar", "cifar-10"),
        ),
        DatasetSpec(
            name="stacked-mnist",
            title="three MNIST digits as RGB, 1000 classes",
            citation="Metz et al. 2017",
            reader=functools.partial(
                read_stacked,
                functools.partial(read_idx_set, "mnist", _MNIST_FILES, ("MNIST",), DIGITS),
            ),
            classes=tuple(f"{number:03d}" for number in range(1000)),
            shape=Shape(3, 28, 28),
            train_images=60_000,
            test_images=10_000,
            license="cc-by-sa-3.0",
            license_url="https://keras.io/api/datasets/mnist/",
            hub_id="ylecun/mnist",
            similar_names=("stacked", "stackedmnist"),
            evaluation="stacked-digits",
        ),
        DatasetSpec(
            name="uci-digits",
            title="1,797 handwritten digits, built in",
            citation="Alpaydin and Kaynak 1998",
            reader=read_uci_digits,
            classes=DIGITS,
            shape=GRAY_28,
            train_images=1500,
            test_images=297,
            license_url="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
            similar_names=("uci", "digits", "sklearn-digits"),
            evaluation="digits",
        ),
    )
}


def register_dataset(spec: DatasetSpec, *, replace: bool = False) -> None:
    """Add a data set of one's own, so that `data.name` and `load_dataset` find it.

    The registration lasts as long as the process. Bundles of generators that were trained on the
    set can be used without it.

    Args:
        spec: its name, classes and reader at least.
        replace: the set of that name, where there is one.

    Raises:
        ConfigError: the name is taken, or is no name.

    Examples:
        >>> def read(request):
        ...     arrays = np.load(f"runes-{request.split}.npz")
        ...     return arrays["images"], arrays["labels"]
        >>> inkgan.register_dataset(inkgan.DatasetSpec("runes", read, classes=("fe", "ur")))
        >>> inkgan.train("dcgan", out="runs/runes", overrides={"data.name": "runes"})
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", spec.name):
        raise ConfigError(
            f"`name` {spec.name!r} of a data set must be lower case letters, digits, dots, dashes "
            "and underscores"
        )
    if spec.name in DATASETS and not replace:
        raise ConfigError(f"there is a data set {spec.name!r} already; use `replace=True`")
    DATASETS[spec.name] = spec


def get_dataset_spec(name: str) -> DatasetSpec:
    """Return the record of a data set.

    Raises:
        ConfigError: there is no such set; the message has the nearest name.
    """
    if name in DATASETS:
        return DATASETS[name]
    plain = name.lower().replace("_", "-")
    for spec in DATASETS.values():
        if plain == spec.name or plain in spec.similar_names:
            raise ConfigError(
                f"`data.name`: unknown data set {name!r}; did you mean {spec.name!r}?"
            )
    known = [*DATASETS, *(f"{prefix}:PATH" for prefix in PATH_READERS)]
    place = Path(name).expanduser()
    if len(place.parts) > 1 or place.suffix.lower() in SUFFIX_PREFIXES:
        raise ConfigError(f"`data.name`: {name}: there is no such file, folder or data set")
    raise ConfigError(f"`data.name`: unknown data set {name!r}{did_you_mean(name, known)}")


def is_built_in(name: str) -> bool:
    """Return whether a name is that of one of the package's own sets."""
    return name in DATASETS and DATASETS[name].is_built_in


def read_dataset(name: str, request: ReadRequest, size: int | None = None) -> LoadedSplit:
    """Read one split of a data set as images, labels and class names.

    Args:
        name: of a set, or folder:, npz:, csv: or idx: with a path, or a path alone.
        request: the split, and where to look.
        size: to which the pictures of a folder are resized.

    Raises:
        ConfigError: there is no such set.
        DataError: it cannot be found, downloaded or read.
    """
    if name not in DATASETS and names_path(name):
        return read_path(name, request.split, size)
    spec = get_dataset_spec(name)
    images, labels = spec.reader(request)
    return _check(spec, np.asarray(images), np.asarray(labels))


def _check(spec: DatasetSpec, images: np.ndarray, labels: np.ndarray) -> LoadedSplit:
    """Refuse what a reader must not return; give gray images their axis of channels."""
    images = images[..., None] if images.ndim == 3 else images
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
        raise DataFormatError(
            f"the reader of {spec.name} must return uint8 images (n, H, W) or (n, H, W, C) with 1 "
            f"or 3 channels, not {images.dtype} {images.shape}"
        )
    _, height, width, channels = images.shape
    if spec.shape not in (None, (channels, height, width)):
        raise DataFormatError(
            f"the reader of {spec.name} returned {Shape(channels, height, width)} images, not "
            f"{spec.shape}"
        )
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu" or not len(images):
        raise DataFormatError(
            f"the reader of {spec.name} must return a whole number for each of its "
            f"{len(images):,} images, not {labels.dtype} {labels.shape}"
        )
    if labels.min() < 0 or labels.max() >= len(spec.classes):
        raise DataFormatError(
            f"the reader of {spec.name} returned labels {labels.min()} to {labels.max()}; 0 to "
            f"{len(spec.classes) - 1} are possible"
        )
    return LoadedSplit(images, labels.astype(np.int64), spec.classes, is_built_in=spec.is_built_in)

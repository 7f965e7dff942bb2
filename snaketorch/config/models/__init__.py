"""The networks an experiment can name.

To add one: a section in a file here that names its implementation, and its name in ``Model``.
"""

from typing import Annotated

from pydantic import Field

from snaketorch.config.models.base import (
    IMAGE as IMAGE,
)
from snaketorch.config.models.base import (
    NOISE as NOISE,
)
from snaketorch.config.models.base import (
    ROW as ROW,
)
from snaketorch.config.models.base import (
    SEQUENCE as SEQUENCE,
)
from snaketorch.config.models.base import (
    TOKENS as TOKENS,
)
from snaketorch.config.models.base import (
    FromExperiment as FromExperiment,
)
from snaketorch.config.models.base import (
    Network as Network,
)
from snaketorch.config.models.cnn import Cnn as Cnn
from snaketorch.config.models.custom import Custom as Custom
from snaketorch.config.models.generative import DcGan as DcGan
from snaketorch.config.models.generative import Gan as Gan
from snaketorch.config.models.lenet import Lenet as Lenet
from snaketorch.config.models.mlp import Mlp as Mlp
from snaketorch.config.models.recurrent import Gru as Gru
from snaketorch.config.models.recurrent import Lstm as Lstm
from snaketorch.config.models.recurrent import Rnn as Rnn
from snaketorch.config.models.torchvision import Alexnet as Alexnet
from snaketorch.config.models.torchvision import Convnext as Convnext
from snaketorch.config.models.torchvision import Densenet as Densenet
from snaketorch.config.models.torchvision import Efficientnet as Efficientnet
from snaketorch.config.models.torchvision import Googlenet as Googlenet
from snaketorch.config.models.torchvision import Mobilenet as Mobilenet
from snaketorch.config.models.torchvision import Resnet as Resnet
from snaketorch.config.models.torchvision import Torchvision as Torchvision
from snaketorch.config.models.torchvision import Vgg as Vgg
from snaketorch.config.models.torchvision import Vit as Vit
from snaketorch.config.models.transformer import Transformer as Transformer

Model = Annotated[
    Mlp
    | Cnn
    | Lenet
    | Alexnet
    | Vgg
    | Googlenet
    | Resnet
    | Densenet
    | Mobilenet
    | Efficientnet
    | Convnext
    | Vit
    | Rnn
    | Lstm
    | Gru
    | Transformer
    | Gan
    | DcGan
    | Custom,
    Field(discriminator="kind"),
]

"""The first convolutional network of note."""

from torch import Tensor, nn

from snaketorch.config.models import Lenet as Options
from snaketorch.errors import UserError
from snaketorch.models.shapes import ImageShape

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU}
POOLINGS = {"avg": nn.AvgPool2d, "max": nn.MaxPool2d}


class Lenet(nn.Module):
    """LeNet-5. Reads (B, C, H, W), gives (B, num_outputs).

    The first convolution keeps the size of the image, so that 28x28 pixels give the 5x5 maps of the publication,
    which had 32x32 pixels with a border.
    """

    def __init__(self, options: Options, input_shape: ImageShape, num_outputs: int):
        super().__init__()
        channels, height, width = input_shape
        smallest = options.smallest_image
        if min(height, width) < smallest:
            raise UserError(
                f"model.kind: lenet shrinks an image of {height}x{width} pixels to nothing; "
                f"allowed: images of at least {smallest}x{smallest} (prepare.size of the dataset)"
            )
        activation, pool = ACTIVATIONS[options.activation], POOLINGS[options.pooling]
        after = [(side // 2 - 4) // 2 for side in (height, width)]
        self.stages = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(channels, 6, 5, padding=2), activation(), pool(2)),
                nn.Sequential(nn.Conv2d(6, 16, 5), activation(), pool(2), nn.Flatten()),
                nn.Sequential(nn.Linear(16 * after[0] * after[1], 120), activation()),
                nn.Sequential(nn.Linear(120, 84), activation()),
            ]
        )
        self.head = nn.Linear(84, num_outputs)

    def blocks(self) -> list[nn.Module]:
        return [*self.stages, self.head]

    def forward(self, image: Tensor) -> Tensor:
        for stage in self.stages:
            image = stage(image)
        return self.head(image)

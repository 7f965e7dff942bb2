"""The classic small convolutional network."""

from torch import Tensor, nn

from snaketorch.config.models import Cnn as Options
from snaketorch.errors import UserError
from snaketorch.models.shapes import ImageShape


class Cnn(nn.Module):
    """Convolution, normalisation, ReLU and 2x2 max pooling for each block, a dense layer, and the head.

    Reads (B, C, H, W), gives (B, num_outputs).
    """

    def __init__(self, options: Options, input_shape: ImageShape, num_outputs: int):
        super().__init__()
        channels, height, width = input_shape
        smallest = options.smallest_image
        if min(height, width) < smallest:
            raise UserError(
                f"model.channels: {len(options.channels)} blocks halve an image of {height}x{width} pixels to nothing; "
                f"allowed: images of at least {smallest}x{smallest} (prepare.size of the dataset), or fewer blocks"
            )
        self.features = nn.Sequential()
        for width_out in options.channels:
            convolution = nn.Conv2d(
                channels, width_out, options.kernel_size, padding="same", bias=not options.batch_norm
            )
            normalisation = [nn.BatchNorm2d(width_out)] if options.batch_norm else []
            self.features.append(nn.Sequential(convolution, *normalisation, nn.ReLU(), nn.MaxPool2d(2)))
            channels = width_out
        self.hidden = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * (height // smallest) * (width // smallest), options.hidden),
            nn.ReLU(),
            nn.Dropout(options.dropout),
        )
        self.head = nn.Linear(options.hidden, num_outputs)

    def blocks(self) -> list[nn.Module]:
        return [*self.features, self.hidden, self.head]

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.hidden(self.features(image)))

"""The classic small convolutional network."""

from torch import Tensor, nn

from snaketorch.config.models import Cnn as Options
from snaketorch.errors import UserError


class Cnn(nn.Module):
    """Convolution, normalisation, ReLU and 2x2 max pooling for each block, then a dense head.

    Reads (B, C, H, W), gives (B, num_outputs).
    """

    def __init__(self, options: Options, input_shape: tuple[int, int, int], num_outputs: int):
        super().__init__()
        channels, height, width = input_shape
        smallest = 2 ** len(options.channels)
        if min(height, width) < smallest:
            raise UserError(
                f"model.channels: {len(options.channels)} blocks halve an image of {height}x{width} pixels to nothing; "
                f"allowed: images of at least {smallest}x{smallest} (prepare.size of the dataset), or fewer blocks"
            )
        blocks: list[nn.Module] = []
        for width_out in options.channels:
            blocks.append(
                nn.Conv2d(channels, width_out, options.kernel_size, padding="same", bias=not options.batch_norm)
            )
            if options.batch_norm:
                blocks.append(nn.BatchNorm2d(width_out))
            blocks += [nn.ReLU(), nn.MaxPool2d(2)]
            channels = width_out
        self.features = nn.Sequential(*blocks)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * (height // smallest) * (width // smallest), options.hidden),
            nn.ReLU(),
            nn.Dropout(options.dropout),
            nn.Linear(options.hidden, num_outputs),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.features(image))

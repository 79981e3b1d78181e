"""Networks: whole architectures made of layers."""

from ._mlp import MLP as MLP
from ._resnet import ResNet as ResNet
from ._resnet_blocks import BottleneckResNetBlock as BottleneckResNetBlock
from ._resnet_blocks import ResNetBlock as ResNetBlock
from ._resnet_sizes import ResNet18 as ResNet18
from ._resnet_sizes import ResNet34 as ResNet34
from ._resnet_sizes import ResNet50 as ResNet50
from ._resnet_sizes import ResNet101 as ResNet101
from ._resnet_sizes import ResNet152 as ResNet152
from ._resnet_sizes import ResNet200 as ResNet200

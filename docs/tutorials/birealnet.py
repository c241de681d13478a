"""A Bi-Real ResNet for 32 x 32 pictures, as ONNX: ``python birealnet.py NET.onnx [CHECKPOINT.pt]``."""

import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class BinaryActivation(nn.Module):
    """Sign forward; backward the derivative of a piecewise polynomial."""

    def forward(self, x):
        forward = torch.sign(x)
        left, middle, right = (x < -1).float(), (x < 0).float(), (x < 1).float()
        soft = -1 * left + (x * x + 2 * x) * (1 - left)
        soft = soft * middle + (-x * x + 2 * x) * (1 - middle)
        soft = soft * right + 1 * (1 - right)
        return forward.detach() - soft.detach() + soft


class BinaryConv(nn.Conv2d):
    """Weights are signs times the mean magnitude of their output channel."""

    def forward(self, x):
        scale = self.weight.abs().mean((1, 2, 3), keepdim=True).detach()
        signs = scale * torch.sign(self.weight)
        clipped = torch.clamp(self.weight, -1.0, 1.0)
        weight = signs.detach() - clipped.detach() + clipped
        return functional.conv2d(x, weight, None, self.stride, self.padding)


class Block(nn.Module):
    """One binary convolution and its own shortcut, real where the map is halved."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.sign = BinaryActivation()
        self.conv = BinaryConv(channels, out, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(out)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != out:
            real = nn.Conv2d(channels, out, 1, bias=False)
            self.shortcut = nn.Sequential(nn.AvgPool2d(stride), real, nn.BatchNorm2d(out))

    def forward(self, x):
        return self.norm(self.conv(self.sign(x))) + self.shortcut(x)


class BiRealNet(nn.Module):
    """First and last layer real, binary blocks of (channels, stride) between them."""

    def __init__(self, blocks=((16, 1), (16, 1), (32, 2), (32, 1), (64, 2)), classes=10):
        super().__init__()
        channels = blocks[0][0]
        self.first = nn.Conv2d(3, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        layers = []
        for out, stride in blocks:
            layers.append(Block(channels, out, stride))
            channels = out
        self.blocks = nn.Sequential(*layers)
        self.last = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.blocks(self.norm(self.first(x)))
        return self.last(functional.adaptive_avg_pool2d(x, 1).flatten(1))


MEAN = torch.tensor([0.491, 0.482, 0.447]).view(3, 1, 1)
DEVIATION = torch.tensor([0.247, 0.243, 0.262]).view(3, 1, 1)


def pictures(count):
    """In the place of a data set: ten patterns under noise, as pixels 0 to 255, and their labels."""
    patterns = torch.rand(10, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 255
    labels = torch.randint(10, (count,))
    clean = functional.interpolate(patterns[labels], scale_factor=8)
    return (clean + 80 * torch.randn_like(clean)).clamp(0, 255).byte(), labels


def train(model, steps=60):
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(steps):
        pixels, labels = pictures(64)
        optimiser.zero_grad()
        functional.cross_entropy(model((pixels / 255 - MEAN) / DEVIATION), labels).backward()
        optimiser.step()


def main():
    torch.manual_seed(0)
    model = BiRealNet()
    if len(sys.argv) > 2:
        model.load_state_dict(torch.load(sys.argv[2], map_location="cpu", weights_only=True))
    else:
        train(model)
        pixels, labels = pictures(20)
        np.savez(sys.argv[1].replace(".onnx", ".npz"), images_u8=pixels, labels=labels)
    example = torch.zeros(1, 3, 32, 32)
    torch.onnx.export(model.eval(), (example,), sys.argv[1], opset_version=18, dynamo=False)


if __name__ == "__main__":
    main()

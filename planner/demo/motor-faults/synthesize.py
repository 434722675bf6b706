"""Recordings to labelled log spectrograms; run alone it writes calibration.npz, test.npz, labels.json.

    python synthesize.py

The spectrogram has a logarithmic frequency axis with constant relative bandwidth, as in Brown's constant-Q
transform (1991): low bands tell shaft orders apart, high bands are quick enough to show single impacts.
Level in decibels is stored in one byte; the model takes these numbers (0..255) as float32.
"""

import json
from pathlib import Path

import numpy as np
from scipy.fft import fft, ifft

from signals import CONDITIONS, LENGTH, RATE, recording

HERE = Path(__file__).parent
LABELS = list(CONDITIONS)
FRAMES, BANDS = 64, 32
HOP = 30  # samples: 2.9 ms, short enough for the fastest ball passing rate (151 Hz)
QUIETEST, LOUDEST = -50.0, 20.0  # dB re (1 m/s^2)^2, the ends of the byte
SEEDS = {"train": 11, "validation": 12, "calibration": 13, "test": 14}
PER_CLASS = {"train": 2000, "validation": 150, "calibration": 40, "test": 120}


def band_filters() -> np.ndarray:
    """Gaussian analytic band-pass gains over the bins of an FFT of LENGTH: [BANDS, LENGTH]."""
    centres = np.geomspace(7, 4500, BANDS)[:, None]
    widths = np.maximum(0.1 * centres, 2.0)
    bins = np.fft.fftfreq(LENGTH, 1 / RATE)[None, :]
    return (2 * np.exp(-0.5 * ((bins - centres) / widths) ** 2)).astype(np.float32)


FILTERS = band_filters()


def spectrogram(wave: np.ndarray) -> np.ndarray:
    """[LENGTH] acceleration -> [FRAMES, BANDS, 1] uint8, from the middle of the recording."""
    start = (LENGTH - FRAMES * HOP) // 2
    analytic = ifft(fft(wave.astype(np.float32)) * FILTERS, axis=1)
    middle = analytic[:, start : start + FRAMES * HOP]
    power = (np.abs(middle) ** 2).reshape(BANDS, FRAMES, HOP).mean(axis=2)
    level = 10 * np.log10(power + 1e-9)
    byte = np.clip(np.rint((level - QUIETEST) / (LOUDEST - QUIETEST) * 255), 0, 255)
    return byte.astype(np.uint8).T[:, :, None]


def dataset(part: str) -> tuple[np.ndarray, np.ndarray]:
    """x [samples, FRAMES, BANDS, 1] uint8 and y [samples] int32, classes interleaved; each part has its own seed."""
    rng = np.random.default_rng(SEEDS[part])
    y = np.tile(np.arange(len(LABELS), dtype=np.int32), PER_CLASS[part])
    x = np.stack([spectrogram(recording(LABELS[label], rng)) for label in y])
    return x, y


def main() -> None:
    x, _ = dataset("calibration")
    np.savez_compressed(HERE / "calibration.npz", x=x)
    x, y = dataset("test")
    np.savez_compressed(HERE / "test.npz", x=x, y=y)
    (HERE / "labels.json").write_text(json.dumps(LABELS, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""Vibration of an induction motor seen by one accelerometer, healthy and with five faults.

Every function returns acceleration in m/s^2 (roughly: only ratios matter) sampled at RATE. The models
are the textbook ones, written from their equations:

- imbalance: centrifugal force m*e*w^2 at 1x (ISO 21940-11; Harris' Shock and Vibration Handbook)
- misalignment: 2x and 3x radial plus 1x and 2x axial, growing with transmitted torque
  (Piotrowski, Shaft Alignment Handbook; ISO 13373-3)
- looseness: many harmonics and half orders, since the contact opens and truncates the motion
  (Goldman and Muszynska 1994, Dynamic Effects in Mechanical Structures with Gaps and Impacting; ISO 13373-3)
- bearing faults: a train of exponentially decaying resonance bursts, modulated by the load zone when
  the defect turns with the shaft (McFadden and Smith 1984), with the spacing jittered by slip
  (Randall and Antoni 2011, Rolling element bearing diagnostics: a tutorial)
"""

from dataclasses import dataclass

import numpy as np

RATE = 10240  # samples per second
LENGTH = 8192  # samples in one recording: 0.8 s

REFERENCE_SPEED = 21.0  # Hz, where the amplitudes below are quoted


@dataclass(frozen=True)
class Bearing:
    """Deep-groove ball bearing; diameters in millimetres, contact angle zero."""

    balls: int
    ball_diameter: float
    pitch_diameter: float

    def outer_order(self) -> float:
        """Ball passes over a point of the standing outer race per shaft turn (BPFO)."""
        return self.balls / 2 * (1 - self.ball_diameter / self.pitch_diameter)

    def inner_order(self) -> float:
        """Ball passes over a point of the turning inner race per shaft turn (BPFI)."""
        return self.balls / 2 * (1 + self.ball_diameter / self.pitch_diameter)


BEARINGS = (Bearing(8, 6.75, 28.5), Bearing(9, 7.94, 39.04))  # sizes 6203 and 6205


@dataclass(frozen=True)
class Machine:
    """One installed motor at one operating point; each recording draws another."""

    speed: float  # Hz
    load: float  # fraction of rated torque
    bearing: Bearing
    resonance: float  # Hz, the housing mode that bearing impacts ring
    damping: float  # fraction of critical
    tilt: float  # rad, how far the sensor leans from radial to axial
    gain: float  # sensor and mounting
    noise: float  # rms of the broadband floor
    mains: float  # Hz


def draw_machine(rng: np.random.Generator) -> Machine:
    return Machine(
        speed=rng.uniform(14, 28),
        load=rng.uniform(0.2, 1.0),
        bearing=BEARINGS[rng.integers(len(BEARINGS))],
        resonance=rng.uniform(1500, 4200),
        damping=rng.uniform(0.03, 0.08),
        tilt=rng.uniform(0.3, 0.9),
        gain=10 ** (rng.normal(0, 2.5) / 20),
        noise=10 ** (rng.uniform(-8, 4) / 20),
        mains=rng.choice((50.0, 60.0)),
    )


def shaft_angle(machine: Machine, rng: np.random.Generator) -> np.ndarray:
    """Angle in radians; the speed wanders slowly by a fraction of a percent, as under a varying load."""
    time = np.arange(LENGTH) / RATE
    wander = 0.004 * np.sin(2 * np.pi * rng.uniform(0.5, 3) * time + rng.uniform(0, 2 * np.pi))
    return 2 * np.pi * np.cumsum(machine.speed * (1 + wander)) / RATE + rng.uniform(0, 2 * np.pi)


def order(angle: np.ndarray, multiple: float, amplitude: float, rng: np.random.Generator) -> np.ndarray:
    """A sine locked to a multiple of the shaft speed, at a random phase."""
    return amplitude * np.sin(multiple * angle + rng.uniform(0, 2 * np.pi))


def sensed(machine: Machine, radial: np.ndarray, axial: np.ndarray) -> np.ndarray:
    return np.cos(machine.tilt) * radial + np.sin(machine.tilt) * axial


def ringing(machine: Machine, impacts: np.ndarray) -> np.ndarray:
    """Impacts convolved with the decaying response of the housing mode."""
    time = np.arange(RATE // 20) / RATE
    natural = 2 * np.pi * machine.resonance
    response = np.exp(-machine.damping * natural * time) * np.sin(
        natural * np.sqrt(1 - machine.damping**2) * time
    )
    size = LENGTH + len(response)
    return np.fft.irfft(np.fft.rfft(impacts, size) * np.fft.rfft(response, size), size)[:LENGTH]


def background(machine: Machine, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a healthy motor also does: residual imbalance and misalignment, hum, noise, a stray knock."""
    squared = (machine.speed / REFERENCE_SPEED) ** 2
    shaft = order(angle, 1, rng.uniform(0.1, 0.5) * squared, rng)
    shaft += order(angle, 2, rng.uniform(0.05, 0.22), rng) + order(angle, 3, rng.uniform(0.02, 0.12), rng)
    time = np.arange(LENGTH) / RATE
    hum = rng.uniform(0.05, 0.4) * np.sin(2 * np.pi * 2 * machine.mains * time + rng.uniform(0, 6.3))
    floor = machine.noise * rng.standard_normal(LENGTH)
    knocks = np.zeros(LENGTH)
    count = rng.poisson(2)
    knocks[rng.integers(0, LENGTH, count)] = rng.exponential(2.0, count)
    rough = 0.25 * machine.noise * rng.standard_normal(LENGTH)  # rolling noise, coloured by the housing
    return shaft + hum + floor + ringing(machine, knocks + rough)


def healthy(machine: Machine, angle: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
    return np.zeros(LENGTH)


def imbalance(machine: Machine, angle: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
    return order(angle, 1, 2.4 * severity * (machine.speed / REFERENCE_SPEED) ** 2, rng)


def misalignment(machine: Machine, angle: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
    torque = severity * (0.5 + 0.5 * machine.load)
    radial = order(angle, 1, 0.3 * torque, rng) + order(angle, 2, rng.uniform(0.7, 1.4) * torque, rng)
    radial += order(angle, 3, rng.uniform(0.2, 0.8) * torque, rng)
    axial = order(angle, 1, rng.uniform(0.4, 1.0) * torque, rng) + order(angle, 2, 0.8 * torque, rng)
    return sensed(machine, radial, axial)


def looseness(machine: Machine, angle: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
    wave = np.zeros(LENGTH)
    for multiple in range(1, 11):
        amplitude = severity * rng.uniform(0.4, 1.2) / multiple**0.7
        wave += order(angle, multiple, amplitude, rng)
        wave += order(angle, multiple - 0.5, rng.uniform(0.2, 0.7) * amplitude, rng)
    return wave


def passes(machine: Machine, passing_order: float, rng: np.random.Generator) -> np.ndarray:
    """Sample numbers of the ball passes: even spacing but for 1-2 % of slip, which accumulates."""
    period = RATE / (machine.speed * passing_order)
    slip = rng.uniform(0.01, 0.02)
    gaps = period * (1 + slip * rng.standard_normal(int(LENGTH / period * 1.2) + 2))
    places = (np.cumsum(gaps) - rng.uniform(0, period)).astype(int)
    return places[(places >= 0) & (places < LENGTH)]


def impact_strength(machine: Machine, severity: float) -> float:
    return 16.0 * severity * (0.6 + 0.4 * machine.load) * machine.speed / REFERENCE_SPEED


def inner_race(machine: Machine, angle: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
    """The defect turns with the shaft through the load zone: Stribeck's load distribution, exponent 3/2."""
    places = passes(machine, machine.bearing.inner_order(), rng)
    extent = rng.uniform(0.35, 0.6)
    loaded = np.clip(1 - (1 - np.cos(angle[places])) / (2 * extent), 0, None) ** 1.5
    impacts = np.zeros(LENGTH)
    impacts[places] = impact_strength(machine, severity) * (0.1 + loaded) * rng.uniform(0.8, 1.2, len(places))
    return ringing(machine, impacts)


def outer_race(machine: Machine, angle: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
    """The defect stands still in the load zone: every ball strikes it alike."""
    places = passes(machine, machine.bearing.outer_order(), rng)
    impacts = np.zeros(LENGTH)
    impacts[places] = 0.7 * impact_strength(machine, severity) * rng.uniform(0.8, 1.2, len(places))
    return ringing(machine, impacts)


CONDITIONS = {
    "healthy": healthy,
    "imbalance": imbalance,
    "misalignment": misalignment,
    "inner-race": inner_race,
    "outer-race": outer_race,
    "looseness": looseness,
}


def recording(condition: str, rng: np.random.Generator) -> np.ndarray:
    """One recording (LENGTH samples) of a random motor in this condition, from slight to severe."""
    machine = draw_machine(rng)
    angle = shaft_angle(machine, rng)
    severity = rng.uniform(0.5, 1.0)
    wave = background(machine, angle, rng) + CONDITIONS[condition](machine, angle, severity, rng)
    return machine.gain * wave

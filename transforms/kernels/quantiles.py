"""Quantiles of distributions, alike to the last bit on every machine.

Only operations that IEEE 754 rounds correctly are used (+, −, ×, ÷, square root, splitting off the exponent),
one at a time, so no mathematical library or fused instruction has a say in the result; numpy's own `log` may
differ by platform and version.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# ln 2 in two parts: the first ends in so many zeros that an exponent times it is exact.
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_SQRT_HALF = 0.7071067811865476
# ln((1 + s) / (1 − s)) = 2s × (1 + s²/3 + s⁴/5 + …); |s| ≤ 0.172, so the first term left out is below 10⁻¹⁹.
_LOG_SERIES = tuple(1.0 / (2 * place + 1) for place in range(12))

# M. J. Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988) 477–484: numerators and denominators,
# the constant term first.
_CENTRE = (
    (
        3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
        4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
    ),
    (
        1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
        2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
    ),
)  # fmt: skip
_NEAR_TAIL = (
    (
        1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
        1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
    ),
    (
        1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
        1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
    ),
)  # fmt: skip
_FAR_TAIL = (
    (
        6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
        2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
    ),
    (
        1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
        7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
    ),
)  # fmt: skip


def logarithm(numbers: Floats) -> Floats:
    """Natural logarithm of positive normal float64 numbers, to about one unit in the last place."""
    mantissas, exponents = np.frexp(numbers)
    small = mantissas < _SQRT_HALF
    mantissas = np.where(small, 2.0 * mantissas, mantissas)
    whole = (exponents - small).astype(np.float64)
    share = (mantissas - 1.0) / (mantissas + 1.0)
    series = _polynomial(_LOG_SERIES, share * share)
    result: Floats = whole * _LN2_HIGH + (2.0 * share * series + whole * _LN2_LOW)
    return result


def normal(shares: Floats) -> Floats:
    """Quantiles of the standard normal distribution (mean 0, standard deviation 1) of shares within (0, 1)."""
    centred = shares - 0.5
    result = centred * _ratio(_CENTRE, 0.180625 - centred * centred)
    tail = np.flatnonzero(np.abs(centred) > 0.425)
    if len(tail):
        nearer = np.minimum(shares[tail], 1.0 - shares[tail])
        roots = np.sqrt(-logarithm(nearer))
        ends = np.where(roots <= 5.0, _ratio(_NEAR_TAIL, roots - 1.6), _ratio(_FAR_TAIL, roots - 5.0))
        result[tail] = np.where(centred[tail] < 0.0, -ends, ends)
    return result


def laplace(shares: Floats) -> Floats:
    """Quantiles of the Laplace distribution with mean 0 and scale 1 (mean absolute deviation 1)."""
    below = shares < 0.5
    ends = logarithm(2.0 * np.where(below, shares, 1.0 - shares))
    result: Floats = np.where(below, ends, -ends)
    return result


def _ratio(pair: tuple[Sequence[float], Sequence[float]], numbers: Floats) -> Floats:
    return _polynomial(pair[0], numbers) / _polynomial(pair[1], numbers)


def _polynomial(coefficients: Sequence[float], numbers: Floats) -> Floats:
    """By Horner's rule; the constant term is the first."""
    result = np.full(len(numbers), coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result *= numbers
        result += coefficient
    return result

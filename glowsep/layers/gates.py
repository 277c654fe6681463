"""The coupling's inner network: gated convolutions, not invertible, so with an explicit cache."""

from glowsep.arrays.library import array_module, fused


def tanh_and_sigmoid(before):
    r"""Both activations of a gated layer at once, (2, hidden, batch, frames), from a and b stacked.

    The sigmoid is a tanh too, :math:`\sigma(b) = (1 + \tanh(b/2))/2`, which never overflows.
    """
    activation = before.reshape(2, -1, *before.shape[1:])
    activate(*activation)
    return activation


@fused
def activate(a, b):
    """a becomes tanh(a), b becomes σ(b), both (hidden, batch, frames)."""
    xp = array_module(a)
    xp.tanh(a, out=a)
    b *= 0.5
    xp.tanh(b, out=b)
    b += 1
    b *= 0.5


def tanh_and_sigmoid_backward(dgated, activation):
    r"""Gradient by a and b, stacked, from the gradient by g = tanh(a)·σ(b), whose memory is used up.

    .. math:: \partial g/\partial a = \sigma (1 - \tanh^2), \qquad \partial g/\partial b = \tanh\, \sigma\, (1 - \sigma)
    """
    dbefore = array_module(dgated).empty((2, *dgated.shape), dgated.dtype)
    activate_backward(*dbefore, dgated, *activation)
    return dbefore.reshape(-1, *dgated.shape[1:])


@fused
def activate_backward(da, db, dgated, tanh, sigmoid):
    """Writes both gradients, all (hidden, batch, frames); dgated is used up."""
    xp = array_module(da)
    xp.multiply(dgated, sigmoid, out=da)
    xp.multiply(da, tanh, out=db)
    # What both have now lacks a factor 1 - f, where f is tanh or σ: so take away what it is times f.
    da -= xp.multiply(db, tanh, out=dgated)
    db -= xp.multiply(db, sigmoid, out=dgated)

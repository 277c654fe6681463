"""What every bijection of the flow promises: the same four methods, and a log-determinant."""

from glowsep.layers.parameters import Parameters


class Bijection(Parameters):
    r"""An invertible map :math:`z = f(x)` whose log-determinant is known (chapter 4).

    Subclasses write four methods, none with a flag and none keeping anything between calls:

    ==========================================  ==============================================================
    ``forward(x) -> z, logdet``                 data to latent; :math:`\log|\det \partial z/\partial x|`, (batch,)
    ``inverse(z) -> x``                         latent to data
    ``backward(dz, dlogdet, z) -> dx, x``       gradients through ``forward``; sets the parameters' gradients
    ``backward_inverse(dx, x) -> dz, z``        gradient through ``inverse``; parameters frozen
    ==========================================  ==============================================================

    A fifth, ``backward_input(dz, dlogdet, z) -> dx, x``, is ``backward`` with the parameters frozen: what a search
    along the gradient of ``log_prob`` walks on. All arrays are (batch, channels, frames), log-dets are sums over the
    item's dimensions in nats, and every method takes ``condition`` (batch, condition_channels), which only
    conditional layers look at; they leave its gradient in ``dcondition``.

    ``forward_keeping(x) -> z, logdet, kept`` is ``forward`` for a caller who has the memory to keep what it
    computed, and hands it to ``backward`` as ``kept``. Without it, ``backward`` computes it again from the output.
    ``inverse_keeping(z) -> x, kept`` is the same for ``inverse`` and ``backward_inverse``, which is given ``kept`` only
    where its layer keeps something. What is kept may lie in the memory of z and x: leave those as they are until then.
    """

    dcondition = None

    def forward_keeping(self, x, condition=None):
        """``forward``, and what ``backward`` would otherwise have to compute again: nothing, in most layers."""
        return *self.forward(x, condition), None

    def inverse_keeping(self, z, condition=None):
        """``inverse``, and what ``backward_inverse`` would otherwise have to compute again: nothing, in most layers."""
        return self.inverse(z, condition), None

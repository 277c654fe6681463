"""What students write in chapter 12, and what they must be told."""

WRONG_ANSWERS = {
    "poisson": [
        (
            """
def poisson(mixture, total):
    x, m = mixture + SILENCE, total + SILENCE
    return (x * np.log(x / m) - x + m).sum(), x / m - 1
""",
            r"gradient: .*sign is flipped",
        ),
        (
            """
def poisson(mixture, total):
    x, m = mixture + SILENCE, total + SILENCE
    return (x * np.log(x / m)).sum(), -x / m
""",
            r"the part -x \+ m is missing",
        ),
        (
            """
def poisson(mixture, total):
    x, m = mixture + SILENCE, total + SILENCE
    return (m * np.log(m / x) - m + x).sum(), np.log(m / x)
""",
            r"mixture and total are exchanged",
        ),
    ],
    "backward_generate": [
        (
            """
class Prior(glowsep.Prior):
    def backward_generate(self, dmagnitude, tape):
        standard = tape.pop()
        sigma = self._lowest_sigma(standard)
        dstandard = dmagnitude[None] * self.deviation(sigma)
        return self.flow.backward_inverse(dstandard, standard, self.condition(sigma), tape)[0][0]
""",
            r"slope of expand is missing",
        ),
        (
            """
class Prior(glowsep.Prior):
    def backward_generate(self, dmagnitude, tape):
        standard = tape.pop()
        sigma = self._lowest_sigma(standard)
        dstandard = dmagnitude[None] * self.expand_slope(self.restore(standard, sigma))
        return self.flow.backward_inverse(dstandard, standard, self.condition(sigma), tape)[0][0]
""",
            r"deviation d is missing",
        ),
        (
            """
class Prior(glowsep.Prior):
    def backward_generate(self, dmagnitude, tape):
        standard = tape.pop()
        sigma = self._lowest_sigma(standard)
        u = self.restore(standard, sigma)
        dstandard = dmagnitude[None] * self.expand_slope(u) * self.deviation(sigma)
        return self.flow.backward_inverse(dstandard, standard, self.condition(sigma), tape)[0]
""",
            r"mind the batch axis",
        ),
        (
            """
class Prior(glowsep.Prior):
    def backward_generate(self, dmagnitude, tape):
        standard = tape.pop()
        sigma = self._lowest_sigma(standard)
        u = self.restore(standard, sigma)
        dstandard = dmagnitude[None] * self.expand_slope(u) * self.deviation(sigma)
        return self.flow.backward_inverse(dstandard, standard, self.condition(sigma))[0][0]
""",
            r"something is left on the tape",
        ),
    ],
    "latent_search": [
        (
            """
class LatentSearch(glowsep.LatentSearch):
    def __call__(self, mixture, priors, rng, callback=None):
        latents = {str(i): self.start(prior, mixture, len(priors), rng) for i, prior in enumerate(priors)}
        adam, history = Adam(latents, self.learning_rate), []
        for iteration in range(self.iterations):
            tapes = [[] for _ in priors]
            magnitudes = generate_all(priors, latents, tapes)
            distance, dtotal = self.likelihood(mixture, magnitudes.sum(axis=0))
            gradients = {
                name: prior.backward_generate(dtotal, tape)
                for name, prior, tape in zip(latents, priors, tapes, strict=True)
            }
            energy = sum(0.5 * float((z * z).sum()) for z in latents.values())
            history.append({"likelihood": float(distance), "prior": energy})
            if callback is not None:
                callback(iteration, magnitudes, history[-1])
            adam.step(gradients)
        return Found(generate_all(priors, latents), list(latents.values()), history)
""",
            r"the weight λ is ignored",
        ),
        (
            """
class LatentSearch(glowsep.LatentSearch):
    def __call__(self, mixture, priors, rng, callback=None):
        latents = {str(i): self.start(prior, mixture, len(priors), rng) for i, prior in enumerate(priors)}
        adam, history = Adam(latents, self.learning_rate), []
        for iteration in range(self.iterations):
            tapes = [[] for _ in priors]
            magnitudes = generate_all(priors, latents, tapes)
            gradients, total = {}, 0.0
            for i, (name, prior, tape) in enumerate(zip(latents, priors, tapes, strict=True)):
                distance, dmagnitude = self.likelihood(mixture, magnitudes[i])
                gradients[name] = prior.backward_generate(dmagnitude, tape) + self.weight * latents[name]
                total += float(distance)
            energy = sum(0.5 * float((z * z).sum()) for z in latents.values())
            history.append({"likelihood": total, "prior": energy})
            if callback is not None:
                callback(iteration, magnitudes, history[-1])
            adam.step(gradients)
        return Found(generate_all(priors, latents), list(latents.values()), history)
""",
            r"explain the whole mixture alone",
        ),
        (
            """
class LatentSearch(glowsep.LatentSearch):
    def __call__(self, mixture, priors, rng, callback=None):
        latents = {str(i): self.start(prior, mixture, len(priors), rng) for i, prior in enumerate(priors)}
        adam, history = Adam(latents, self.learning_rate), []
        for iteration in range(self.iterations):
            tapes = [[] for _ in priors]
            magnitudes = generate_all(priors, latents, tapes)
            distance, dtotal = self.likelihood(mixture, magnitudes.sum(axis=0))
            gradients = {
                name: prior.backward_generate(dtotal, tape) + self.weight * latents[name]
                for name, prior, tape in zip(latents, priors, tapes, strict=True)
            }
            energy = sum(0.5 * float((z * z).sum()) for z in latents.values())
            history.append({"likelihood": float(distance), "prior": energy})
            if callback is not None:
                callback(iteration, magnitudes, history[-1])
            adam.step(gradients)
        return Found(magnitudes, list(latents.values()), history)
""",
            r"not those of the last latents",
        ),
    ],
    "stuck": [
        ('reason = "A"', r"what is the gradient where the sum equals the mixture"),
        ('reason = "D"', r"a flow represents every spectrogram"),
    ],
    "summing_to": [
        (
            """
def summing_to(mixture, magnitudes):
    return mixture * (magnitudes / magnitudes.sum(axis=0))
""",
            r"not finite where all sources vanish",
        ),
        (
            """
def summing_to(mixture, magnitudes):
    return magnitudes + (mixture - magnitudes.sum(axis=0)) / len(magnitudes)
""",
            r"proportions have changed: scale them",
        ),
    ],
}

# Solutions that are the package's own functions, statement for statement.
PACKAGE = {"poisson": "glowsep.learning.losses", "summing_to": "glowsep.systems.search.walk"}

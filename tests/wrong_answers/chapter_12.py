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
    def backward_generate(self, dmagnitude, cache):
        (standard, kept), noise = cache, self._quietest(cache[0])
        dstandard = dmagnitude[None] * self.deviation(noise)
        return self.flow.backward_inverse(dstandard, standard, self.condition(noise), kept)[0][0]
""",
            r"slope of expand is missing",
        ),
        (
            """
class Prior(glowsep.Prior):
    def backward_generate(self, dmagnitude, cache):
        (standard, kept), noise = cache, self._quietest(cache[0])
        dstandard = dmagnitude[None] * self.expand_slope(self.restore(standard, noise))
        return self.flow.backward_inverse(dstandard, standard, self.condition(noise), kept)[0][0]
""",
            r"deviation d is missing",
        ),
        (
            """
class Prior(glowsep.Prior):
    def backward_generate(self, dmagnitude, cache):
        (standard, kept), noise = cache, self._quietest(cache[0])
        u = self.restore(standard, noise)
        dstandard = dmagnitude[None] * self.expand_slope(u) * self.deviation(noise)
        return self.flow.backward_inverse(dstandard, standard, self.condition(noise), kept)[0]
""",
            r"mind the batch axis",
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
            magnitudes, caches = generate_all(priors, latents)
            distance, dtotal = self.likelihood(mixture, magnitudes.sum(axis=0))
            gradients = {
                name: prior.backward_generate(dtotal, cache)
                for name, prior, cache in zip(latents, priors, caches, strict=True)
            }
            energy = sum(0.5 * float((z * z).sum()) for z in latents.values())
            history.append({"likelihood": float(distance), "prior": energy})
            if callback is not None:
                callback(iteration, magnitudes, history[-1])
            adam.step(gradients)
        return Found(generate_all(priors, latents)[0], list(latents.values()), history)
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
            magnitudes, caches = generate_all(priors, latents)
            gradients, total = {}, 0.0
            for i, (name, prior, cache) in enumerate(zip(latents, priors, caches, strict=True)):
                distance, dmagnitude = self.likelihood(mixture, magnitudes[i])
                gradients[name] = prior.backward_generate(dmagnitude, cache) + self.weight * latents[name]
                total += float(distance)
            energy = sum(0.5 * float((z * z).sum()) for z in latents.values())
            history.append({"likelihood": total, "prior": energy})
            if callback is not None:
                callback(iteration, magnitudes, history[-1])
            adam.step(gradients)
        return Found(generate_all(priors, latents)[0], list(latents.values()), history)
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
            magnitudes, caches = generate_all(priors, latents)
            distance, dtotal = self.likelihood(mixture, magnitudes.sum(axis=0))
            gradients = {
                name: prior.backward_generate(dtotal, cache) + self.weight * latents[name]
                for name, prior, cache in zip(latents, priors, caches, strict=True)
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
PACKAGE = {"poisson": "glowsep.learning.losses", "summing_to": "glowsep.systems.search.found"}

"""What students write in chapter 12, and what they must be told."""

WRONG_ANSWERS = {
    "backward_generate": [
        (
            """
class Prior(glowsep.Prior):
    def backward_generate(self, dmagnitude, tape):
        standard = tape.pop()
        sigma = self.latent_levels(standard)
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
        sigma = self.latent_levels(standard)
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
        sigma = self.latent_levels(standard)
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
        sigma = self.latent_levels(standard)
        u = self.restore(standard, sigma)
        dstandard = dmagnitude[None] * self.expand_slope(u) * self.deviation(sigma)
        return self.flow.backward_inverse(dstandard, standard, self.condition(sigma))[0][0]
""",
            r"something is left on the tape",
        ),
        (
            """
class Prior(glowsep.Prior):
    def generate_backward(self, dmagnitude, tape):
        standard = tape.pop()
        sigma = self.latent_levels(standard)
        u = self.restore(standard, sigma)
        dstandard = dmagnitude[None] * self.expand_slope(u) * self.deviation(sigma)
        return self.flow.backward_inverse(dstandard, standard, self.condition(sigma), tape)[0][0]
""",
            r"defines no `Prior.backward_generate` of its own",
        ),
        (
            """
class Prior(glowsep.Prior):
    def backward_generate(self, dmagnitude, tape):
        standard = tape.pop()
        sigma = self.latent_levels(standard)
        u = self.restore(standard, sigma)
        dstandard = dmagnitude[None] * self.expand_slope(u) * self.deviation(sigma)
        return self.flow.backward_inverse(dstandard, standard, sigma, tape)[0][0]
""",
            r"must be given the condition",
        ),
        (
            """
class Prior(glowsep.Prior):
    def backward_generate(self, dmagnitude, tape):
        standard = tape.pop()
        sigma = self.latent_levels(standard)
        u = self.restore(standard, sigma)
        dstandard = dmagnitude[None] * self.expand_slope(u) / self.deviation(sigma)
        return self.flow.backward_inverse(dstandard, standard, self.condition(sigma), tape)[0][0]
""",
            r"the deviation d is on the wrong side",
        ),
    ],
    "latent_search": [
        (
            """
class LatentSearch(glowsep.LatentSearch):
    def __call__(self, mixture, priors, rng, callback=None):
        if self.sigma is not None:
            priors = [prior.at(self.sigma) for prior in priors]
        latents = {str(i): latent for i, latent in enumerate(self.start(mixture, priors, rng))}
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
        if self.sigma is not None:
            priors = [prior.at(self.sigma) for prior in priors]
        latents = {str(i): latent for i, latent in enumerate(self.start(mixture, priors, rng))}
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
        if self.sigma is not None:
            priors = [prior.at(self.sigma) for prior in priors]
        latents = {str(i): latent for i, latent in enumerate(self.start(mixture, priors, rng))}
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
        (
            """
class LatentSearch(glowsep.LatentSearch):
    def __call__(self, mixture, priors, rng, callback=None):
        latents = {str(i): latent for i, latent in enumerate(self.start(mixture, priors, rng))}
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
        return Found(generate_all(priors, latents), list(latents.values()), history)
""",
            r"the noise level is ignored",
        ),
        (
            """
class LatentSearch(glowsep.LatentSearch):
    def call(self, mixture, priors, rng, callback=None):
        if self.sigma is not None:
            priors = [prior.at(self.sigma) for prior in priors]
        latents = {str(i): latent for i, latent in enumerate(self.start(mixture, priors, rng))}
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
        return Found(generate_all(priors, latents), list(latents.values()), history)
""",
            r"defines no `LatentSearch.__call__` of its own",
        ),
        (
            """
class LatentSearch(glowsep.LatentSearch):
    def __call__(self, mixture, priors, rng, callback=None):
        if self.sigma is not None:
            priors = [prior.at(self.sigma) for prior in priors]
        latents = {str(i): latent for i, latent in enumerate(self.start(mixture, priors, rng))}
        adam, history = Adam(latents, self.learning_rate), []
        for iteration in range(self.iterations):
            tapes = [[]] * len(priors)
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
        return Found(generate_all(priors, latents), list(latents.values()), history)
""",
            r"two priors share one tape",
        ),
        (
            """
class LatentSearch(glowsep.LatentSearch):
    def __call__(self, mixture, priors, rng, callback=None):
        if self.sigma is not None:
            priors = [prior.at(self.sigma) for prior in priors]
        latents = {str(i): latent for i, latent in enumerate(self.start(mixture, priors, rng))}
        adam, history = Adam(latents, self.learning_rate), []
        for iteration in range(self.iterations):
            tapes = [[] for _ in priors]
            magnitudes = generate_all(priors, latents, tapes)
            distance, dtotal = self.likelihood(magnitudes.sum(axis=0), mixture)
            gradients = {
                name: prior.backward_generate(dtotal, tape) + self.weight * latents[name]
                for name, prior, tape in zip(latents, priors, tapes, strict=True)
            }
            energy = sum(0.5 * float((z * z).sum()) for z in latents.values())
            history.append({"likelihood": float(distance), "prior": energy})
            if callback is not None:
                callback(iteration, magnitudes, history[-1])
            adam.step(gradients)
        return Found(generate_all(priors, latents), list(latents.values()), history)
""",
            r"the likelihood's arguments are exchanged",
        ),
        (
            """
class LatentSearch(glowsep.LatentSearch):
    def __call__(self, mixture, priors, rng, callback=None):
        if self.sigma is not None:
            priors = [prior.at(self.sigma) for prior in priors]
        latents = {str(i): latent for i, latent in enumerate(self.start(mixture, priors, rng))}
        adam, history = Adam(latents, self.learning_rate), []
        for iteration in range(self.iterations):
            tapes = [[] for _ in priors]
            magnitudes = generate_all(priors, latents, tapes)
            distance, dtotal = self.likelihood(mixture, magnitudes.sum(axis=0))
            gradients = {
                name: prior.backward_generate(dtotal, tape) + self.weight * latents[name]
                for name, prior, tape in zip(latents, priors, tapes, strict=True)
            }
            energy = sum(float((z * z).sum()) for z in latents.values())
            history.append({"likelihood": float(distance), "prior": energy})
            if callback is not None:
                callback(iteration, magnitudes, history[-1])
            adam.step(gradients)
        return Found(generate_all(priors, latents), list(latents.values()), history)
""",
            r"'prior' is twice too large",
        ),
        (
            """
class LatentSearch(glowsep.LatentSearch):
    def __call__(self, mixture, priors, rng, callback=None):
        if self.sigma is not None:
            priors = [prior.at(self.sigma) for prior in priors]
        latents = {str(i): latent for i, latent in enumerate(self.start(mixture, priors, rng))}
        adam, history = Adam(latents, self.learning_rate), []
        for iteration in range(self.iterations):
            tapes = [[] for _ in priors]
            magnitudes = generate_all(priors, latents, tapes)
            distance, dtotal = self.likelihood(mixture, magnitudes.sum(axis=0))
            gradients = {
                name: prior.backward_generate(dtotal, tape) + self.weight * latents[name]
                for name, prior, tape in zip(latents, priors, tapes, strict=True)
            }
            energy = self.weight * sum(0.5 * float((z * z).sum()) for z in latents.values())
            history.append({"likelihood": float(distance), "prior": energy})
            if callback is not None:
                callback(iteration, magnitudes, history[-1])
            adam.step(gradients)
        return Found(generate_all(priors, latents), list(latents.values()), history)
""",
            r"multiplied by λ",
        ),
    ],
    "stuck": [
        ('reason = "A"', r"what is the gradient where the sum equals the mixture"),
        ('reason = "C"', r"opinion of the latents does not count"),
        ('reason = "D"', r"a flow represents every spectrogram"),
        ('reason = "AB"', r"one of the letters A, B, C, D"),
    ],
    "weight_of": [
        ("def weight_of(error, scale):\n    return 2 * error / scale", r"square what you have"),
        ("def weight_of(error, scale):\n    return (error / scale) ** 2", r"the 2 is missing"),
        ("def weight_of(error, scale):\n    return (scale * error / 2) ** 2", r"c is on the wrong side"),
        ("def weight_of(error, scale):\n    return error**2", r"c is missing"),
        ("def weight_of(error, scale):\n    return (scale / (2 * error)) ** 2", r"this is 1/λ"),
        ("def weight_of(error, scale):\n    return 8 * (error / scale) ** 2", r"compare the two parabolas again"),
        (
            """
def weight_of(error, scale):
    return (2 * error * scale) ** 2
""",
            r"c is on the wrong side",
        ),
    ],
    "energy_gradient": [
        (
            """
class EnergyPrior(glowsep.Prior):
    def gradient_of_energy(self, u, sigma):
        standard, deviation = self.standardise(u, sigma)
        flow, condition, tape = self.flow.frozen(), self.condition(sigma), []
        z, logdet = flow.forward(standard, condition, tape)
        energy = 0.5 * (z * z).sum(axis=(1, 2))
        gradient, _ = flow.backward(z, np.zeros_like(logdet), z, condition, tape)
        return gradient / deviation, energy
""",
            r"defines no `EnergyPrior.energy_gradient` of its own",
        ),
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
        (
            """
def summing_to(mixture, magnitudes):
    floored = magnitudes + SILENCE
    return floored / floored.sum(axis=0)
""",
            r"these are shares, which sum to 1",
        ),
        (
            """
def summing_to(mixture, magnitudes):
    floored = magnitudes + SILENCE
    return mixture * (floored / floored.sum())
""",
            r"divide by their sum over the sources",
        ),
        (
            """
def summing_to(mixture, magnitudes):
    return mixture * ((magnitudes + SILENCE) / magnitudes.sum(axis=0))
""",
            r"above the fraction only: add it below",
        ),
        (
            """
def summing_to(mixture, magnitudes):
    return mixture * (magnitudes / (magnitudes + SILENCE).sum(axis=0))
""",
            r"below the fraction only: add it above",
        ),
    ],
}

#: With the points that are left, and what is said of the part that is wrong.
PARTLY_RIGHT = {
    "energy_gradient": [
        (
            """
class EnergyPrior(glowsep.Prior):
    def energy_gradient(self, u, sigma):
        standard, deviation = self.standardise(u, sigma)
        flow, condition, tape = self.flow.frozen(), self.condition(sigma), []
        z, logdet = flow.forward(standard, condition, tape)
        energy = 0.5 * (z * z).sum(axis=(1, 2))
        gradient, _ = flow.backward(z, np.zeros_like(logdet), z, condition, tape)
        return gradient, energy
""",
            1,
            r"the deviation d is missing",
        ),
        (
            """
class EnergyPrior(glowsep.Prior):
    def energy_gradient(self, u, sigma):
        standard, deviation = self.standardise(u, sigma)
        flow, condition, tape = self.flow.frozen(), self.condition(sigma), []
        z, logdet = flow.forward(standard, condition, tape)
        energy = 0.5 * (z * z).sum(axis=(1, 2))
        gradient, _ = flow.backward(z, -np.ones_like(logdet), z, condition, tape)
        return gradient / deviation, energy
""",
            1,
            r"minus the score, with the log-det's part",
        ),
        (
            """
class EnergyPrior(glowsep.Prior):
    def energy_gradient(self, u, sigma):
        standard, deviation = self.standardise(u, sigma)
        flow, condition, tape = self.flow.frozen(), self.condition(sigma), []
        z, logdet = flow.forward(standard, condition, tape)
        return z.reshape(u.shape) / deviation, 0.5 * (z * z).sum(axis=(1, 2))
""",
            1,
            r"z itself is no gradient",
        ),
        (
            """
class EnergyPrior(glowsep.Prior):
    def energy_gradient(self, u, sigma):
        standard, deviation = self.standardise(u, sigma)
        flow, condition, tape = self.flow.frozen(), self.condition(sigma), []
        z, logdet = flow.forward(standard, condition, tape)
        gradient, _ = flow.backward(z, np.zeros_like(logdet), z, condition, tape)
        return gradient / deviation, 0.5 * (standard * standard).sum(axis=(1, 2))
""",
            2,
            r"is it taken before backward, of the latent z",
        ),
        (
            """
class EnergyPrior(glowsep.Prior):
    def energy_gradient(self, u, sigma):
        standard, deviation = self.standardise(u, sigma)
        flow, condition, tape = self.flow.frozen(), self.condition(sigma), []
        z, logdet = flow.forward(standard, condition, tape)
        energy = (z * z).sum(axis=(1, 2))
        gradient, _ = flow.backward(z, np.zeros_like(logdet), z, condition, tape)
        return gradient / deviation, energy
""",
            2,
            r"it is HALF of the squared norm",
        ),
        (
            """
class EnergyPrior(glowsep.Prior):
    def energy_gradient(self, u, sigma):
        standard, deviation = self.standardise(u, sigma)
        flow, condition, tape = self.flow.frozen(), self.condition(sigma), []
        z, logdet = flow.forward(standard, condition, tape)
        energy = 0.5 * (z * z).sum(axis=(1, 2))
        gradient, _ = flow.backward(-z, np.zeros_like(logdet), z, condition, tape)
        return gradient / deviation, energy
""",
            1,
            r"the sign is flipped",
        ),
    ],
}

# Solutions that are the package's own functions, statement for statement.
PACKAGE = {"summing_to": "glowsep.systems.search.walk"}

"""log L and its maximum of a bundle of `partonic export likelihood`; fields: docs/reference/likelihood_bundle.md."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy.optimize import minimize

FUNCTIONS = {"power": lambda u, p: u**p, "cos": lambda u, _: np.cos(u), "sin": lambda u, _: np.sin(u)}


class Likelihood:
    def __init__(self, folder):
        sums = dict(line.split()[::-1] for line in Path(folder, "SHA256SUMS").read_text().splitlines())
        for name in ("likelihood.json", "events.parquet"):
            if sums.get(name) != hashlib.sha256(Path(folder, name).read_bytes()).hexdigest():
                raise ValueError(f"{folder}/{name} is damaged: its checksum is not that in SHA256SUMS; copy it again")
        self.about = about = json.loads(Path(folder, "likelihood.json").read_text(encoding="utf-8"))
        if about["format"] != 1:
            raise ValueError(f"expected a bundle of format 1, got {about['format']} in {folder}")
        self.names, table = [each["name"] for each in about["parameters"]], pq.read_table(f"{folder}/events.parquet")
        self.weights, self.rows = table["weight"].to_numpy(), np.stack(table["row"].to_numpy())
        self.triangles = np.stack(table["covariance"].to_numpy()) if about["correct_bias"] else None

    def vector(self, phi):  # v(φ): the monomials of θ(φ) of each component, times its scale
        values, vector = dict(zip(self.names, phi)), []
        for part in self.about["components"]:
            terms = [[t["factor"] * FUNCTIONS[t["function"]](t["unit"] * values[t["parameter"]], t["power"])
                      for t in each["terms"]] for each in part["theta"].values()]  # fmt: skip
            theta = np.array([each["constant"] + sum(t) for each, t in zip(part["theta"].values(), terms)])
            vector += [values[part["scale"]] * np.prod(theta ** np.array(powers)) for powers in part["exponents"]]
        return np.array(vector)

    def __call__(self, phi):  # log L(φ)
        v, about = self.vector(phi), self.about
        log_f = np.log(about["floor"]) + np.arcsinh(self.rows @ v / (2 * about["floor"]))
        if about["correct_bias"]:
            products = (2 * np.outer(v, v) - np.diag(v**2))[np.triu_indices(len(v))]
            log_f = 0.5 * np.logaddexp(2 * log_f, np.log(np.maximum(self.triangles @ products, 1e-300)))
        logarithms = [(each["weight"], np.dot(each["rate"], v)) for each in about["rate_logarithms"]]
        if any(x <= 0 for _, x in logarithms) or phi[-1] <= 0:
            return -np.inf
        pulls = [(phi[self.names.index(c["parameter"])] - c["centre"]) / c["width"] for c in about["constraints"]]
        rates = sum(w * np.log(x) for w, x in logarithms) - phi[-1] * np.dot(about["expected_yield"], v)
        return self.weights @ log_f + rates + about["scale_weight"] * np.log(phi[-1]) - 0.5 * np.sum(np.square(pulls))

    def fit(self):  # φ of the highest maximum found from the nominal point and from both sides of it
        nominal, step = np.array([[each[key] for each in self.about["parameters"]] for key in ("nominal", "step")])
        moves = np.diag(step)[step > 0]
        starts = [np.zeros(len(moves)), *2 * np.eye(len(moves)), *-2 * np.eye(len(moves))]
        found = [minimize(lambda u: -self(nominal + u @ moves), u, method="Nelder-Mead", tol=1e-9) for u in starts]
        return nominal + min(found, key=lambda each: each.fun).x @ moves


if __name__ == "__main__":
    likelihood = Likelihood(sys.argv[1])
    print(dict(zip(likelihood.names, likelihood.fit())), likelihood.about["answer"]["best_fit"])

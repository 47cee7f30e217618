"""Small LHE files of pp → H t t̄ (and its decays), written by hand for the tests."""

import gzip

import numpy as np

from partonic.polynomial import Monomials, morphing_basis

MONOMIALS = Monomials.up_to_degree(("a", "b"), 2)
BASIS = morphing_basis(MONOMIALS)
BEAM = 6500.0


def particle(pdg, status, mothers, momentum, mass=0.0):
    e, px, py, pz = momentum
    return f" {pdg} {status} {mothers[0]} {mothers[1]} 0 0 {px!r} {py!r} {pz!r} {e!r} {mass!r} 0. 9."


def tth_particles(rng, decayed=False):
    """Two gluons, H, t, t̄ with momentum conserved; masses are not on shell, which the reader does not mind."""
    p = rng.normal(0.0, 80.0, (3, 3))
    p[2, :2] = -p[0, :2] - p[1, :2]
    e = np.sqrt((p**2).sum(axis=1) + np.array([125.0, 172.5, 172.5]) ** 2)
    total_e, total_z = float(e.sum()), float(p[:, 2].sum())
    forward, backward = (total_e + total_z) / 2, (total_e - total_z) / 2
    out = np.column_stack([e, p]).tolist()
    lines = [
        particle(21, -1, (0, 0), (backward, 0.0, 0.0, -backward)),
        particle(21, -1, (0, 0), (forward, 0.0, 0.0, forward)),
    ]
    status = 2 if decayed else 1
    lines += [particle(pdg, status, (1, 2), q) for pdg, q in zip((25, 6, -6), out, strict=True)]
    if decayed:
        daughters = [(5, 3), (-5, 3), (5, 4), (24, 4), (-11, 7 + 2), (12, 7 + 2), (-5, 5), (1, 5), (-2, 5)]
        for pdg, mother in daughters:
            lines.append(particle(pdg, 2 if pdg == 24 else 1, (mother, mother), out[0]))
    return lines, out, (forward / BEAM, backward / BEAM)


def write_lhe(path, events, *, strategy=-4, processes=((1, 0.5),), weights=(), energy=BEAM, partonic=False):
    """Write events: dictionaries with `lines`, `weight`, and optionally `weights` (id → value) and `process`."""
    declared = "\n".join(f'<weight id="{name}"> {text} </weight>' for name, text in weights)
    text = ['<LesHouchesEvents version="3.0">', "<header>"]
    if partonic:
        text.append("<partonic>{}</partonic>")
    if weights:
        text.append(f'<initrwgt><weightgroup name="basis">\n{declared}\n</weightgroup></initrwgt>')
    text += ["</header>", "<init>", f"2212 2212 {energy} {energy} 0 0 0 0 {strategy} {len(processes)}"]
    text += [f"{section} 0.01 1.0 {number}" for number, section in processes] + ["</init>"]
    for event in events:
        text.append("<event>")
        count = event.get("count", len(event["lines"]))
        text.append(f" {count} {event.get('process', 1)} {event['weight']!r} 235.0 0.0078 0.118")
        text += event["lines"]
        if event.get("weights"):
            text.append("<rwgt>")
            text += [f'<wgt id="{name}"> {value!r} </wgt>' for name, value in event["weights"].items()]
            text.append("</rwgt>")
        text.append("</event>")
    content = "\n".join([*text, "</LesHouchesEvents>", ""])
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(content.encode()))
    else:
        path.write_text(content)
    return path


def tth_file(path, count=20, seed=7, **options):
    """Write ttH events with weights at the basis of θ points; return their truth."""
    rng = np.random.default_rng(seed)
    coefficients = rng.normal(size=(count, len(MONOMIALS)))
    coefficients[:, 0] += 3.0
    values = coefficients @ MONOMIALS.evaluate(BASIS).T
    events, momenta, fractions = [], [], []
    for weights in values:
        lines, out, x = tth_particles(rng)
        named = {f"theta_{b}": float(value) for b, value in enumerate(weights)}
        events.append({"lines": lines, "weight": float(weights[0]), "weights": named})
        momenta.append(np.ravel(out))
        fractions.append(x)
    texts = [(f"theta_{b}", f"a={point[0]!r} b={point[1]!r}") for b, point in enumerate(BASIS.tolist())]
    write_lhe(path, events, weights=texts, **options)
    return coefficients, np.array(momenta), np.array(fractions)

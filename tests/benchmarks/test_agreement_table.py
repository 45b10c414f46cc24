"""Table `variants_agreement`: changes of the middle bases of sites, of two models that read different lengths."""

import numpy as np
import pytest
import torch
from accuracy.agreement_table import Reading, substitutions

from zoo.models.basset import Basset
from zoo.nn.conv_stack import ConvStackConfig


@pytest.mark.parametrize("length", [200, 145])
def test_changes_are_those_of_the_middle_bases_of_a_site(length: int) -> None:
    torch.manual_seed(0)
    model = Basset(["a", "b", "c"], length, ConvStackConfig((6,), (9,), (4,), padding="same"), hidden=(5,)).eval()
    (site,) = sites = np.random.default_rng(0).integers(0, 4, (1, 200)).astype(np.uint8)
    changes = substitutions(Reading(model, ["a", "c"]), sites)
    assert changes.shape == (1, 300)
    mutants = [site]
    for position in range(50, 150):
        for base in range(4):
            if base != site[position]:
                mutants.append(site.copy())
                mutants[-1][position] = base
    first = (200 - length) // 2
    with torch.inference_mode():
        values = model.predict(torch.from_numpy(np.stack(mutants)[:, first : first + length])).double().numpy()
    expected = (values[1:] - values[0])[:, [0, 2]].mean(1)
    np.testing.assert_allclose(changes[0], expected, atol=1e-6)

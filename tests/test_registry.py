from __future__ import annotations

import pytest

from engines.registry import ENGINES, check_params, create, engines, get_spec, obstacle, preferred, usable
from engines.spec import EngineSpec, Job, Licence, Load, Param
from engines.table import BUILT_INS
from errors import EngineUnavailableError, ParameterError

SPEC = EngineSpec(
    name="test", job=Job.MATTER, target="no.such:Thing", title="", help="", version=1, memory=lambda load: load.width,
    seconds=lambda load: 1.0, licence=Licence("MIT", commercial=True), packages=("no_such_package",),
    params=(
        Param("count", 3, "", 1, 9),
        Param("width", 0.5, "", 0, 1),
        Param("fast", False, ""),
        Param("mode", "a", "", choices=("a", "b")),
        Param("seed", 0, ""),
    ),
)  # fmt: skip


@pytest.mark.parametrize("spec", BUILT_INS, ids=lambda spec: spec.name)
def test_every_built_in_engine_can_be_made(spec: EngineSpec) -> None:
    assert obstacle(spec) == "" and usable(spec) == {}
    assert create(spec.job, spec.name) is not None
    assert spec.memory(Load(1920, 1080, 100)) < 2**31


@pytest.mark.parametrize("spec", [spec for spec in ENGINES if spec not in BUILT_INS], ids=lambda spec: spec.name)
def test_a_neural_engine_without_weights_names_the_command(spec: EngineSpec) -> None:
    assert "; run: ./start.sh " in obstacle(spec) and usable(spec) is None
    with pytest.raises(EngineUnavailableError, match=r"; run: \./start\.sh "):
        create(spec.job, spec.name)


@pytest.mark.parametrize("spec", ENGINES, ids=lambda spec: spec.name)
def test_every_engine_is_described(spec: EngineSpec) -> None:
    assert spec.title and spec.help.endswith(".") and spec.version >= 1
    assert spec.memory(Load(1280, 720, 100)) <= spec.memory(Load(1920, 1080, 100)) < 2**37
    assert spec.memory(Load(1280, 720, 300)) == spec.memory(Load(1280, 720, 30000)), "memory grows with the clip"
    for param in spec.params:
        assert param.help.endswith("."), f"{param.name} has no help"
        assert check_params(spec, {param.name: str(param.default)})[param.name] == param.default


def test_the_default_engines_are_built_in() -> None:
    assert [engines(job)[0].name for job in Job] == [
        "grabcut",
        "flow",
        "guided",
        "klt",
    ]
    assert [preferred(job) for job in Job] == [
        ("grabcut", {}),
        ("flow", {}),
        ("guided", {}),
        ("klt", {}),
    ]


def test_text_becomes_the_defaults_type() -> None:
    values = check_params(SPEC, {"count": "7", "width": "0.25", "fast": "yes", "mode": "b"})
    assert values == {"count": 7, "width": 0.25, "fast": True, "mode": "b", "seed": 0}


@pytest.mark.parametrize(
    ("name", "value"),
    [("count", "0"), ("count", "10"), ("count", "2.5"), ("width", "nan"), ("width", "-0.1"), ("fast", "maybe"),
     ("mode", "c"), ("seed", "x"), ("nope", "1"), ("count", None)],
)  # fmt: skip
def test_wrong_parameters_are_refused(name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=name):
        check_params(SPEC, {name: value})


def test_unknown_engines_are_named_with_the_known_ones() -> None:
    with pytest.raises(ParameterError, match="grabcut"):
        get_spec(Job.SEGMENTER, "magic")


def test_missing_packages_name_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.registry.ENGINES", (SPEC,))
    with pytest.raises(EngineUnavailableError, match=r"no_such_package; run: \./start\.sh setup"):
        create(Job.MATTER, "test")

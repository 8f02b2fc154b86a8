"""Which engine a session gets, what is said about it, and what a matter that looks at keyframes only leaves out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import get_settings
from engines import devices, registry
from engines.notice import notice
from engines.registry import get_spec, obstacle, preferred, usable
from engines.spec import EngineSpec, Job, Licence
from matting_runner import create_session, run_matting
from matting_runner.marks import alpha_marks, engines_used
from matting_runner.progress import Reporter, Stage
from session_store import EngineChoice, SessionStore
from tests.conftest import Answer, assert_error
from tests.test_matting_runner import make_session


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder of weights that the settings point to, with SAM 2.1 tiny in it as far as names tell."""
    folder = tmp_path / "models" / "sam2.1-hiera-tiny"
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes(b"x")
    monkeypatch.setenv("SPLAZMATTE_MODELS_DIR", str(folder.parent))
    monkeypatch.setattr(registry, "missing_packages", lambda spec: [])
    get_settings.cache_clear()
    yield folder.parent
    get_settings.cache_clear()


def test_a_session_gets_the_best_engine_with_the_model_that_is_there(models: Path, small_clip: Path) -> None:
    spec = get_spec(Job.PROPAGATOR, "sam2")
    assert "./start.sh download-models" in obstacle(spec) and obstacle(spec, {"model": "tiny"}) == ""
    assert usable(spec) == {"model": "tiny"} and preferred(Job.PROPAGATOR) == ("sam2", {"model": "tiny"})
    session = create_session(SessionStore(models / "sessions"), small_clip)
    assert session.state.segmenter == EngineChoice(name="sam2", params={"model": "tiny"})
    assert session.state.matter.name == "guided"


def test_what_wants_a_gpu_is_chosen_only_where_there_is_one(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (models / "sam3").mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        (models / "sam3" / name).write_bytes(b"x")
    assert usable(get_spec(Job.SEGMENTER, "sam3")) is not None
    for device, expected in (("cpu", "sam2"), ("cuda:0", "sam3")):
        monkeypatch.setattr(registry, "job_devices", lambda device=device: (device,))
        assert preferred(Job.SEGMENTER)[0] == preferred(Job.PROPAGATOR)[0] == expected


def test_a_non_commercial_engine_is_never_chosen_for_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    licence = Licence("none", commercial=False)
    row = EngineSpec("x", Job.MATTER, "a:b", "X", "X.", 1, licence, lambda load: 0, lambda load: 0.0, rank=9)
    monkeypatch.setattr(registry, "ENGINES", (*registry.ENGINES, row))
    assert preferred(Job.MATTER) == ("guided", {})


def test_an_engine_that_cannot_run_is_refused_before_the_video_is_copied(
    cli: Callable[..., Answer], small_clip: Path, workspace: Path
) -> None:
    answer = cli("matte", small_clip, "--points", "0:+30,32", "--propagator", "sam2")
    assert_error(answer, 5, "run: ./start.sh ")
    assert not list(workspace.glob("sessions/*"))


def test_results_say_what_made_them_and_what_was_done_otherwise(
    tmp_path: Path, small_clip: Path, mask_file: Callable[[int], Path]
) -> None:
    session = make_session(tmp_path / "sessions", small_clip, mask_file)
    session.state.range = (0, 3)
    session.state.matter = EngineChoice(name="guided", params={"band": 4.0})
    result = run_matting(session, on_progress=lambda progress: notice(f"smaller in {progress.stage}"))
    assert result.summary()["engines"] == {"propagator": "flow", "matter": "guided (band=4.0)"}
    assert result.notices == [f"smaller in {stage}" for stage in ("frames", "propagate", "matte", "deliver")]
    assert session.state.last_run is not None and session.state.last_run.notices == result.notices
    notice("after the run nobody listens")
    assert len(result.notices) == 4


def test_notices_are_heard_by_the_run_that_they_are_of() -> None:
    reporter = Reporter()
    with reporter.listening():
        notice("a")
        notice("b")
        notice("a")
    assert reporter.notices == ["a", "b"]


def test_a_matter_that_looks_at_keyframes_only_needs_no_masks(
    tmp_path: Path, small_clip: Path, mask_file: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session(tmp_path / "sessions", small_clip, mask_file)
    guided = get_spec(Job.MATTER, "guided")
    loose = EngineSpec(**{**vars(guided), "needs_every_mask": False})
    monkeypatch.setattr(registry, "ENGINES", tuple(loose if row is guided else row for row in registry.ENGINES))
    before = alpha_marks(session.state, 110)
    assert len(set(before)) == 4  # the two keyframes, between them, after them
    session.state.propagator = EngineChoice(name="flow", params={"quality": "fast"})
    assert alpha_marks(session.state, 110) == before, "the propagator has no say in it"
    session.state.range = (0, 4)
    run_matting(session, until=Stage.MATTE)
    assert not session.state.objects[0].propagated.spans and session.state.alpha.count(0, 4) == 4
    assert engines_used(session.state) == {"matter": "guided"}
    run_matting(session, until=Stage.PROPAGATE)
    assert session.state.objects[0].propagated.spans


@pytest.mark.parametrize(
    ("visible", "listed", "expected"),
    [
        (None, "GPU 0: H200 (UUID: x)\nGPU 1: H200 (UUID: y)\n", ("cuda:0", "cuda:1")),
        (None, "", ("cpu",)),
        ("2,3", "", ("cuda:2", "cuda:3")),
        ("", "GPU 0: x", ("cpu",)),
        ("-1", "GPU 0: x", ("cpu",)),
    ],
)
def test_each_gpu_runs_one_job(
    visible: str | None, listed: str, expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engines.devices.importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("engines.devices.shutil.which", lambda name: "/usr/bin/nvidia-smi")
    answer = subprocess.CompletedProcess([], 0, stdout=listed)
    monkeypatch.setattr("engines.devices.subprocess.run", lambda *args, **options: answer)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    devices.job_devices.cache_clear()
    assert devices.job_devices() == expected
    devices.job_devices.cache_clear()


def test_a_driver_that_hangs_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*args: object, **options: object) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", 10)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("engines.devices.shutil.which", lambda name: "/usr/bin/nvidia-smi")
    monkeypatch.setattr("engines.devices.subprocess.run", hang)
    devices.job_devices.cache_clear()
    assert devices.job_devices() == ("cpu",)
    devices.job_devices.cache_clear()

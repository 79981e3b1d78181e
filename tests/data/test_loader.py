"""A loader of samples: collated, ahead of time, in an order that is gone back to, with errors that say where."""

import multiprocessing
import os
import threading
import time

import numpy as np
import pytest

import elegy
from elegy.data import DataLoader, Dataset, Position, Source, _workers, as_source


class Squares(Dataset):
    """Numbers and their squares; remembers what was loaded."""

    def __init__(self, count=7):
        self.count = count
        self.loaded = []

    def __len__(self):
        """Samples."""
        return self.count

    def __getitem__(self, index):
        """Sample."""
        self.loaded.append(index)
        return np.full(2, index, "float32"), np.float32(index**2)


class Odd(Exception):
    """An error that cannot be sent as it is: it keeps less than its constructor wants."""

    def __init__(self, place, reason):
        super().__init__(f"{reason} at {place}")


class Fragile(Squares):
    """One of its samples cannot be loaded."""

    def __getitem__(self, index):
        """Sample."""
        if index == 4:
            raise Odd(index, "broken")
        return super().__getitem__(index)


def rows(loader, data_pass=0):
    return [batch["x"][:, 0].astype(int).tolist() for batch in loader.batches(data_pass)]


def flat(batches):
    return [row for batch in batches for row in batch]


def test_samples_become_batches():
    loader = DataLoader(Squares(), 3)
    assert isinstance(loader, Source) and (loader.samples, loader.steps, len(loader)) == (7, 3, 3)
    assert rows(loader) == [[0, 1, 2], [3, 4, 5], [6]]
    assert loader.position() == Position(1, 0)
    assert rows(DataLoader(Squares(), 3, drop_remainder=True)) == [[0, 1, 2], [3, 4, 5]]


def test_mappings_and_nests_are_collated_in_their_structure():
    samples = [{"x": {"a": [i, i], "b": i}, "y_true": (i, -i)} for i in range(3)]
    batch = next(DataLoader(samples, 2).batches(0))
    assert batch["x"]["a"].tolist() == [[0, 0], [1, 1]] and batch["y_true"][1].tolist() == [0, -1]


def test_iterating_gives_one_pass_after_the_other():
    loader = DataLoader(Squares(4), 2, shuffle=True, seed=3)
    passes = [[x[:, 0].astype(int).tolist() for x, _ in loader] for _ in range(3)]
    assert passes == [rows(loader, number) for number in range(3)] and passes[0] != passes[1]


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_workers_change_neither_order_nor_batches(shuffle):
    alone = DataLoader(Squares(20), 3, shuffle=shuffle)
    many = DataLoader(Squares(20), 3, 3, shuffle=shuffle, prefetch=2)
    assert [rows(many, number) for number in range(3)] == [rows(alone, number) for number in range(3)]
    assert sorted(flat(rows(alone, 1))) == list(range(20))


@pytest.mark.parametrize("offset", [0, 2, 3, 7])
def test_it_goes_on_where_it_was_and_loads_nothing_before(offset):
    whole = flat(rows(DataLoader(Squares(), 3, shuffle=True), 1))
    data = Squares()
    loader = DataLoader(data, 3, shuffle=True)
    loader.restore(Position(1, offset))
    assert flat(rows(loader, 1)) == whole[offset:] == data.loaded
    with pytest.raises(ValueError, match=r"offset=8.* was asked for. The dataset has 7 samples"):
        loader.restore(Position(0, 8))


def test_it_loads_as_far_ahead_as_was_asked_for():
    data = Squares(40)
    loader = DataLoader(data, 1, 1, prefetch=4)
    next(loader.batches(0))
    loader.close()
    assert 1 <= len(data.loaded) <= 5


def test_a_model_trains_from_a_loader_and_from_a_dataset():
    def model():
        return elegy.Model(lambda x: x.sum(-1) * elegy.add_parameter("w", initializer=0.1), loss="mse", optimizer="sgd")

    options = {"epochs": 2, "verbose": 0}
    arrays = model().fit(*(np.stack(part) for part in zip(*Squares(), strict=True)), batch_size=3, **options)
    plain = model().fit(Squares(), batch_size=3, **options)
    assert plain.history["loss"] == pytest.approx(arrays.history["loss"], rel=1e-5)
    loaded = model().fit(DataLoader(Squares(), 3, 2), **options)
    assert len(loaded.history["loss"]) == 2 and loaded.history["loss"][1] < loaded.history["loss"][0]


def test_a_dataset_is_asked_for_the_columns_of_its_mappings():
    class Named(Squares):
        def __getitem__(self, index):
            return {"image": np.ones(2, "float32"), "label": index}

    source = as_source(Named(), y="label", steps=2)
    assert source.batch_size == 4 and source.peek()["y_true"].tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="Let each batch be"):
        as_source(Named(), np.ones(7))


def test_an_error_keeps_its_type_and_names_its_sample():
    with pytest.raises(Odd, match="broken at 4") as caught:
        rows(DataLoader(Fragile(), 2, 2))
    assert "In sample 4 of the dataset (counted from 0)." in caught.value.__notes__
    assert any(line.name == "__getitem__" for line in caught.traceback)


def test_a_batch_that_takes_too_long_is_an_error_and_threads_end():
    loader = DataLoader(Waiting(), 1, 2, timeout=0.05)
    with pytest.raises(TimeoutError, match=r"Batch 0 of the pass was waited for. It took longer than timeout=0.05"):
        rows(loader)
    release.set()
    assert rows(DataLoader(Waiting(), 1, 2, timeout=60)) == [[0], [0]]


release = threading.Event()


class Waiting(Squares):
    """Waits until it is told to go on."""

    def __init__(self):
        super().__init__(2)

    def __getitem__(self, index):
        """Sample."""
        release.wait(60)
        return np.zeros(2), 0.0


def test_a_time_limit_of_the_datasets_own_is_not_the_loaders():
    class Late(Squares):
        def __getitem__(self, index):
            raise TimeoutError("the server")

    with pytest.raises(TimeoutError, match="the server"):
        rows(DataLoader(Late(), 1, 1, timeout=60))


@pytest.mark.parametrize(("error", "sent"), [(KeyError("label"), KeyError), (Odd(4, "broken"), RuntimeError)])
def test_an_error_of_a_process_is_sent_as_it_is_or_in_words(monkeypatch, error, sent):
    class Failing(Squares):
        def __getitem__(self, index):
            raise error

    monkeypatch.setitem(_workers._process, "load", Failing().__getitem__)
    with pytest.raises(sent, match=r"label|Odd: broken at 4"):
        _workers._load_here([4])


def test_processes_load_in_order_report_their_errors_and_end():
    loader = DataLoader(Fragile(30), 2, 2, worker_type="process", prefetch=3)
    begun = loader.batches(0)
    assert [next(begun)["x"][0, 0] for _ in range(2)] == [0, 2]
    with pytest.raises(RuntimeError, match="Odd: broken at 4") as caught:
        next(begun)
    assert "__getitem__" in str(caught.value.__cause__)  # the traceback of the process
    assert multiprocessing.active_children()
    loader.close()
    late = (
        time.monotonic() + 30
    )  # not `join`: the pool's own thread waits for them too, and only one of both gets to know
    while multiprocessing.active_children() and time.monotonic() < late:
        time.sleep(0.01)
    assert not multiprocessing.active_children()


def test_what_cannot_be_sent_to_a_process_is_an_error():
    class Local(Squares):
        pass

    with pytest.raises(ValueError, match="The dataset cannot be sent to another process"):
        rows(DataLoader(Local(), 2, 1, worker_type="process"))


def test_a_process_that_ends_is_an_error():
    with pytest.raises(RuntimeError, match="A worker process ended before it was loaded"):
        rows(DataLoader(Ending(), 1, 1, worker_type="process"))


class Ending(Squares):
    """Ends its process."""

    def __getitem__(self, index):
        """Sample."""
        os._exit(3)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([np.ones(2), np.ones(3)], r"sample 0 is f32\[2\] and sample 1 is f32\[3\]"),
        ([{"x": {"a": 1}}, {"x": {"b": 1}}], "Samples of one structure were asked for"),
    ],
)
def test_samples_that_do_not_fit_each_other_are_an_error(samples, message):
    samples = [sample.astype("float32") if hasattr(sample, "astype") else sample for sample in samples]
    with pytest.raises(ValueError, match=message):
        rows(DataLoader(samples, 2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": None}, "A batch has a number of rows"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"n_workers": -1}, "n_workers=-1"),
        ({"worker_type": "fork", "n_workers": 1}, '"process" spawns them'),
        ({"worker_type": "threads", "n_workers": 1}, "Did you mean `thread`"),
        ({"timeout": 0, "n_workers": 1}, "counts seconds"),
        ({"timeout": 1}, "Without workers nobody can stop waiting"),
        ({"prefetch": 2}, "Without workers nothing is loaded ahead"),
        ({"batch_size": 9, "drop_remainder": True}, "so there is no batch"),
        ({"shuffle": "rows"}, "shuffle='rows'"),
    ],
)
def test_arguments_that_do_not_fit_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        DataLoader(Squares(), **{"batch_size": 2, **options})


@pytest.mark.parametrize("dataset", [Squares, iter([1]), {"x": 1}])
def test_what_is_no_dataset_is_an_error(dataset):
    with pytest.raises(TypeError, match="A dataset has a length and gives a sample for each number"):
        DataLoader(dataset, 2)


def test_an_empty_dataset_is_an_error():
    with pytest.raises(ValueError, match="has 0 samples, so there is no batch"):
        DataLoader([], 2)

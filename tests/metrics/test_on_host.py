"""Functions of scikit-learn as metrics: called once a pass on the host, with all rows."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sklearn.metrics

import elegy
from elegy.metrics import OnHost

RANDOM = np.random.default_rng(0)
SCORES = RANDOM.random((13, 2)).astype("float32")
LABELS = np.array([0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 1], "int32")
WEIGHTS = RANDOM.random(13)


def area(**options):
    return OnHost(sklearn.metrics.roc_auc_score, better="higher", **options)


def rows(y_true, y_pred):
    return {"rows": len(y_true), "ends": y_pred[[0, -1]]}


def only(x, y_pred, group, sample_weight=None):
    return float((x[:, 0] * group).sum() + y_pred.sum() + sample_weight.sum())


def evaluate(metric, module=lambda x: x[:, 0], x=SCORES, y=LABELS, **options):
    return elegy.Model(module, metrics=metric).evaluate(x, y, batch_size=5, verbose=0, **options)


def test_the_function_sees_all_rows_of_uneven_batches_and_their_weights():
    logs = evaluate([area(), "auc", OnHost(rows)], sample_weight=WEIGHTS)
    expected = sklearn.metrics.roc_auc_score(LABELS, SCORES[:, 0], sample_weight=WEIGHTS)
    assert logs["roc_auc_score"] == pytest.approx(expected)
    assert logs["rows/rows"] == 13 and logs["rows/ends/0"] == SCORES[0, 0] and logs["rows/ends/1"] == SCORES[-1, 0]


def test_a_fit_logs_each_pass_by_itself_and_a_callback_knows_the_direction():
    model = elegy.Model(elegy.nn.Linear(1), loss="mse", metrics=[area(), OnHost(rows)], optimizer=optax.sgd(0.1))
    stop = elegy.callbacks.EarlyStopping("val_roc_auc_score", patience=9)
    told = []
    watch = elegy.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: told.append(list(logs)))
    data = {"validation_data": (SCORES[:6], LABELS[:6, None]), "callbacks": [stop, watch]}
    history = model.fit(SCORES, LABELS[:, None], batch_size=5, epochs=2, verbose=0, **data).history
    assert history["rows/rows"] == [13, 13] and history["val_rows/rows"] == [6, 6]
    assert all(0 <= value <= 1 for value in history["roc_auc_score"])
    assert history["val_roc_auc_score"][-1] == model.evaluate(SCORES[:6], LABELS[:6, None], verbose=0)["roc_auc_score"]
    assert told and all("roc_auc_score" not in names for names in told)
    assert "roc_auc_score" not in model.train_on_batch(SCORES, LABELS[:, None])


def test_on_and_bind_point_it_at_one_part():
    def heads(x):
        return {"a": x[:, 0], "b": x[:, 1]}

    labels = {"a": LABELS, "b": 1 - LABELS}
    logs = evaluate([area(on="b"), elegy.bind(area(), y_true="y_true.a", y_pred="y_pred.a")], heads, y=labels)
    assert logs["roc_auc_score"] == sklearn.metrics.roc_auc_score(1 - LABELS, SCORES[:, 1])
    assert logs["roc_auc_score_1"] == sklearn.metrics.roc_auc_score(LABELS, SCORES[:, 0])


def test_a_function_with_y_pred_is_given_what_it_names():
    group = np.arange(13, dtype="float32")
    data = elegy.Batch(x=SCORES, y_true=LABELS, group=group, sample_weight=WEIGHTS)
    logs = elegy.Model(lambda x: x[:, 0], metrics=OnHost(only)).evaluate(data, batch_size=5, verbose=0)
    assert logs["only"] == pytest.approx((SCORES[:, 0] * (group + 1)).sum() + WEIGHTS.sum(), rel=1e-5)


def test_by_itself_it_collects_until_it_is_reset():
    metric = area()
    metric(LABELS[:5], SCORES[:5, 0])
    value = metric(y_true=LABELS[5:], y_pred=jnp.asarray(SCORES[5:, 0], jnp.bfloat16))
    lower = np.r_[SCORES[:5, 0], np.asarray(jnp.asarray(SCORES[5:, 0], jnp.bfloat16), "float32")]
    assert value == sklearn.metrics.roc_auc_score(LABELS, lower)
    metric.reset()
    assert metric(LABELS, SCORES[:, 0]) == sklearn.metrics.roc_auc_score(LABELS, SCORES[:, 0])


def test_what_it_cannot_collect_is_refused():
    with pytest.raises(ValueError, match=r"`better='up'`"):
        OnHost(rows, better="up")
    with pytest.raises(ValueError, match=r"have not one row for each sample.*Choose one array of them"):
        evaluate(OnHost(rows), lambda x: {"a": x[:, 0]})
    with pytest.raises(elegy.InjectionError, match=r"metric `rows` asks for `y_true`.*`y=`"):
        evaluate(OnHost(rows), y=None)

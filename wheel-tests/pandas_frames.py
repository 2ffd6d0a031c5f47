# wheels: numpy==2.5.5 pandas==3.1.1 python-dateutil==4.0.0 tzdata==2026.6
"""pandas: frames, selection, grouping, joins, dates, text, missing values, reshaping, files and errors."""

import io

import numpy as np
import pandas as pd

frame = pd.DataFrame({"kind": ["a", "b", "a", "c"], "n": [1, 2, 3, 4], "x": [0.5, np.nan, 2.5, 4.0]})
print(frame, frame.dtypes.astype(str).to_dict(), frame.shape, sep="\n")
print(frame.describe().round(3), frame["x"].isna().sum(), frame["x"].fillna(0).tolist())
print(frame[frame.n > 1], frame.loc[1:2, ["kind", "n"]], frame.iloc[-1].to_dict(), frame.query("n % 2 == 0"), sep="\n")
print(frame.groupby("kind").agg(total=("n", "sum"), mean=("x", "mean")))
print(frame.assign(y=frame.n * 2 + 1).sort_values("kind", ascending=False), frame.set_index("kind").T, sep="\n")
other = pd.DataFrame({"kind": ["a", "b", "d"], "w": [10, 20, 30]})
print(frame.merge(other, on="kind", how="left"), pd.concat([frame, frame]).drop_duplicates().shape, sep="\n")
print(frame.pivot_table(index="kind", values="n", aggfunc="sum"), frame.melt(id_vars="kind").shape)

dates = pd.date_range("2024-01-30", periods=4, freq="D")
series = pd.Series([1, 2, 3, 4], index=dates)
print(series, series.resample("2D").sum(), series["2024-02"].tolist(), series.rolling(2).mean().tolist(), sep="\n")
stamp = pd.Timestamp("2024-02-29 12:34:56.789")
print(stamp, stamp + pd.Timedelta(days=1, hours=2), stamp.day_name(), stamp.floor("h"), stamp.tz_localize("UTC").isoformat())
print(pd.NaT, pd.isna(pd.NaT), pd.to_datetime(["2024-01-01", None]).tolist(), pd.Timedelta("1 days 02:00:00").total_seconds())
print(pd.Period("2024-03", freq="M") + 1, (dates + pd.offsets.MonthEnd()).strftime("%Y-%m-%d").tolist())

text = pd.Series(["Alpha", "beta", None])
print(text.str.upper().tolist(), text.str.len().tolist(), text.str.contains("a").tolist())
category = pd.Categorical(["lo", "hi", "lo"], categories=["lo", "hi"], ordered=True)
print(category.codes.tolist(), category.max(), pd.cut([1, 5, 9], [0, 3, 6, 10]).tolist(), pd.factorize(np.array(["b", "a", "b"], dtype=object)))
index = pd.MultiIndex.from_product([["x", "y"], [1, 2]], names=["l", "n"])
print(pd.Series(range(4), index=index).unstack(), index.get_level_values(0).tolist(), sep="\n")
print(pd.Series([1, None], dtype="Int64").sum(), pd.array([True, None], dtype="boolean"), pd.Interval(0, 1), pd.unique(np.array([2, 1, 2])))

stream = io.StringIO()
frame.to_csv(stream, index=False)
print(stream.getvalue(), pd.read_csv(io.StringIO(stream.getvalue())).equals(frame), frame.to_json(), sep="\n")
print(frame.apply(lambda row: row.n * 2, axis=1).tolist(), frame.n.map({1: "one"}).tolist(), frame.n.corr(frame.x).round(4))
print(frame.eval("n + x").tolist(), frame.n.value_counts().shape, frame.sample(2, random_state=1).index.tolist(), frame.memory_usage().sum() > 0)
for bad in (lambda: frame["nothing"], lambda: frame.iloc[9], lambda: pd.Timestamp("no date"), lambda: pd.DataFrame({"a": [1], "b": [1, 2]})):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, str(error).splitlines()[0][:70])

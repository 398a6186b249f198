"""Thinning: the oldest samples become buckets of a minute, the oldest of those buckets of an hour, the oldest go.

`plan_thinning` reads in a snapshot and plans one transaction, which compaction's `apply` carries out. Promises: counts,
minima and maxima of every bucket stay exact, means to within 1/8190 of the bucket's range a step; a metric that speaks
so seldom that buckets would take more room stays as it is and only counts as thinned. Each step ends with less to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .budget import STEPS_MS, Budget, Use, gives_way, packs_first
from .chunk import Chunk, Run, Thinned, encode
from .column import TIGHT
from .compaction import Step, others, plan_journal, sources
from .damage import Damage
from .grid import coarser, combined, sum_up
from .models import Buckets, Window
from .packing import Placed, Plan, Source, may_join
from .sqlite_chunks import Stored, oldest_of_tier, same_metric_after
from .sqlite_names import Rows
from .sqlite_reading import Reading

SPAN_MS: Final = (6 * 3_600_000, 4 * 86_400_000)  # of one metric, taken together: 360 minutes, 96 hours
WORTH: Final = 0.8  # of the bytes before: what is not smaller than that stays as it is
PACK_WORTH: Final = 3  # samples a bucket, from which on a short run is worth thinning
DELETED_AT_ONCE: Final = 8
_TIERS: Final = "SELECT tier, sum(length(data)) FROM analytics_chunks GROUP BY tier"
_JOURNAL: Final = "SELECT coalesce(sum(length(data)), 0) FROM analytics_journal"


def use_of(rows: Rows) -> Use:
    """What is taken now."""
    pages, free, page_bytes = (rows(f"PRAGMA {each}")[0][0] for each in ("page_count", "freelist_count", "page_size"))
    by_tier = {tier: size for tier, size in rows(_TIERS) if tier in range(len(STEPS_MS))}
    return Use((pages - free) * page_bytes, by_tier, rows(_JOURNAL)[0][0])


def plan_early_packing(rows: Rows, reading: Reading, budget: Budget, damage: Damage) -> Step | None:
    """The journal as chunks, which can be thinned, though few samples wait in it; None: it is small."""
    return plan_journal(rows, reading, damage, 1) if packs_first(budget, use_of(rows)) else None


def plan_thinning(rows: Rows, budget: Budget, damage: Damage) -> Step | None:
    """What has to give way next; None while there is room, or when nothing is left that could."""
    tier = gives_way(budget, use_of(rows))
    if tier is None:
        return None
    oldest = oldest_of_tier(rows, tier, DELETED_AT_ONCE)
    if tier + 1 == len(STEPS_MS):
        return Step(Plan(delete=[each.chunk_id for each in oldest]), samples=sum(each.chunk.count for each in oldest))
    first = oldest[0]
    if first.level:
        return _thin_pack(first, damage)
    end_ms = first.chunk.end_ms + SPAN_MS[tier]
    together = same_metric_after(rows, first.chunk.metric_id, tier, first.chunk.start_ms, end_ms)
    return _thin_metric(rows, together, tier, damage)


def _thin_metric(rows: Rows, together: Sequence[Stored], tier: int, damage: Damage) -> Step:
    """Chunks of one metric, in order of time."""
    samples = sum(each.chunk.count for each in together)
    good = sources(together, damage)
    if len(good) < len(together):  # a damaged chunk can't be thinned: it moves on and is deleted in its turn
        broken = {each.chunk_id for each in together} - {source.chunk_id for source in good}
        return Step(Plan(raise_tier=sorted(broken)), samples=samples)
    foreign = [(first_ms, last_ms) for _, first_ms, last_ms in others(rows, good, damage)]
    groups: list[list[Source]] = []
    for source in good:
        if groups and may_join(groups[-1][-1].runs[0], source.runs[0], foreign):
            groups[-1].append(source)
        else:
            groups.append([source])
    plan = Plan()
    sizes = {each.chunk_id: len(each.chunk.data) for each in together}
    for group in groups:
        thin = _thinned([run for source in group for run in source.runs], STEPS_MS[tier + 1])
        chunk = encode([Run(group[0].runs[0].metric_id, thin)], TIGHT)
        if len(chunk.data) <= WORTH * sum(sizes[source.chunk_id] for source in group):
            plan.delete += [source.chunk_id for source in group]
            plan.put.append(Placed(chunk, 0, tier + 1))
        else:
            plan.raise_tier += [source.chunk_id for source in group]
    return Step(plan, samples=samples)


def _thin_pack(pack: Stored, damage: Damage) -> Step:
    found = sources([pack], damage)
    kept: list[Run] = []
    thin: list[Run] = []
    for run in found[0].runs if found else ():
        buckets = _thinned([run], STEPS_MS[pack.tier + 1])
        items = len(run.data) if isinstance(run.data, Window) else len(run.data.buckets)
        if len(buckets.buckets) * PACK_WORTH <= items:
            thin.append(Run(run.metric_id, buckets))
        else:
            kept.append(run)
    if not thin:
        return Step(Plan(raise_tier=[pack.chunk_id]), samples=pack.chunk.count)
    chunks: list[Chunk] = [encode(thin, TIGHT)]
    if kept:
        chunks.append(encode(kept, TIGHT))
    put = [Placed(chunk, pack.level, pack.tier + 1) for chunk in chunks]
    return Step(Plan(delete=[pack.chunk_id], put=put), samples=pack.chunk.count)


def _thinned(runs: Sequence[Run], step_ms: int) -> Thinned:
    buckets = combined([_buckets(run, step_ms) for run in runs], step_ms)
    first_ms = min(run.data.first_ms if isinstance(run.data, Thinned) else run.first_ms for run in runs)
    return Thinned(first_ms, max(run.last_ms for run in runs), buckets)


def _buckets(run: Run, step_ms: int) -> Buckets:
    return sum_up(run.data, step_ms) if isinstance(run.data, Window) else coarser(run.data.buckets, step_ms)

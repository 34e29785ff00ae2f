// Time on the page is piecewise linear: as long as something happens it is
// as long as it was; a long gap is cut short, and the cut is shown.

// How much of the width a gap may take: if somebody works meanwhile, if all
// wait for another, or if nothing goes on.
const shortest = .2; // what is closer than this happens at once
const widest = 8; // pixels for a millisecond
const capWork = .22, capWait = .13, capIdle = .05;

// happenings returns the times at which something happens, sorted, and for
// each gap between them what goes on meanwhile: its cap.
function happenings(m, until) {
  const end = Math.min(until, endOf(m));
  // Until a broker is ready there is no beginning.
  const times = [Math.min(m.first, end)], ends = [];
  const starts = { work: [], wait: [] };
  const note = t => {
    if (t >= m.first && t <= until) times.push(t);
  };
  for (const mark of m.marks.values()) {
    if (mark.t > end) continue;
    note(mark.t);
    if (mark.t2) note(mark.t2);
    if (mark.end2) note(mark.end2);
    const to = mark.open ? Infinity : mark.end;
    note(to);
    const what = mark.kind === "bar" ? "work"
      : mark.kind === "wait" ? "wait" : null;
    if (what && to > mark.t) {
      starts[what].push(mark.t);
      ends.push([what, to]);
    }
  }
  const crowd = new Map(); // of many that do the same, the first and the last
  for (const p of m.processes.values()) {
    const lane = m.laneOf.get(String(p.number));
    if (lane !== undefined && m.lanes[lane].crowd > 1) {
      const both = crowd.get(lane) || [Infinity, 0];
      crowd.set(lane, [Math.min(both[0], p.start), Math.max(both[1], p.start)]);
      continue;
    }
    note(p.start);
    if (p.end <= end) note(p.end);
    for (const d of p.deeds) note(d.t);
    for (const s of p.spans) { note(s.from); note(s.to); }
  }
  for (const both of crowd.values()) both.forEach(note);
  for (const s of m.steps) note(s.t);
  times.push(end);
  const sorted = Float64Array.from(times).sort();
  const deltas = [];
  for (const what of ["work", "wait"]) {
    for (const t of starts[what]) deltas.push([t, what, 1]);
  }
  for (const [what, t] of ends) deltas.push([t, what, -1]);
  deltas.sort((a, b) => a[0] - b[0]);
  const gaps = []; // from, length, cap
  const open = { work: 0, wait: 0 };
  let d = 0, last = sorted[0], idle = 0;
  for (const t of sorted) {
    if (t - last < shortest && t !== end) continue;
    while (d < deltas.length && deltas[d][0] < Math.min(last + shortest, t)) {
      open[deltas[d][1]] += deltas[d][2];
      d++;
    }
    const cap = open.work ? capWork : open.wait ? capWait : capIdle;
    if (t > last) gaps.push([last, t - last, cap]);
    if (cap === capIdle && t - last > 50) idle++;
    last = t;
  }
  // A few pauses may be longer: they are the rhythm.
  const pause = Math.min(capWait, Math.max(capIdle, .8 / idle));
  for (const g of gaps) if (g[2] === capIdle) g[2] = pause;
  return gaps;
}

// timeline lays the time until a moment out on a width. With a scale, in
// pixels a millisecond, it takes what it takes; without, it fits the width.
function timeline(m, until, width, scale) {
  const gaps = happenings(m, until);
  let stretch = 1;
  if (!scale) {
    const takes = (scale, stretch) => gaps.reduce((sum, g) =>
      sum + Math.min(g[1] * scale, g[2] * stretch * width), 0);
    // halve finds the value for which a function that grows is the width.
    const halve = (low, high, f) => {
      for (let i = 0; i < 50; i++) {
        const middle = Math.sqrt(low * high);
        if (f(middle) < width) low = middle; else high = middle;
      }
      return low;
    };
    scale = halve(1e-6, widest, scale => takes(scale, 1));
    if (takes(widest, 1) < width) { // too little happens to fill it
      stretch = halve(1, 100, stretch => takes(widest, stretch));
      scale = takes(widest, stretch) < width * .99
        ? halve(widest, 1e4, scale => takes(scale, stretch)) : widest;
    }
  }
  const t = [], x = [], cuts = [];
  let at = 0;
  for (const [from, length, cap] of gaps) {
    t.push(from);
    x.push(at);
    const full = length * scale, room = cap * stretch * width;
    if (full > 1.05 * room) cuts.push({ x: at + room / 2, length });
    at += Math.min(full, room);
  }
  t.push(gaps.length ? Math.min(until, endOf(m)) : m.first);
  x.push(at);
  return { t, x, cuts, scale, width: at,
    to: time => along(t, x, time), from: place => along(x, t, place) };
}

// along maps a value by two lists that grow together.
function along(from, to, value) {
  const n = from.length;
  if (value <= from[0]) return to[0];
  if (value >= from[n - 1]) return to[n - 1];
  let low = 0, high = n - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (from[middle] <= value) low = middle; else high = middle;
  }
  const part = (value - from[low]) / (from[high] - from[low] || 1);
  return to[low] + part * (to[high] - to[low]);
}

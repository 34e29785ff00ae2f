// The model: what has happened so far, as the frames tell it. Times are in
// milliseconds since the story began.

function newModel() {
  return {
    begin: null, steps: [], changes: [], verdict: null, intervened: null, failed: null,
    said: "", // by the lab, of late
    how: "", // what was left out, in the words of the outcome
    finale: Infinity, // when the lab stopped what still ran
    over: false, last: 0, first: Infinity,
    processes: new Map(), prints: [], marks: new Map(), lanes: [],
    laneOf: new Map(), counts: {}, sources: {}, buttons: [],
    changed: 0, // grows with each frame
  };
}

// addFrame adds a frame to a model.
function addFrame(m, frame) {
  for (const e of frame.events || []) addEvent(m, e);
  for (const mark of frame.marks || []) {
    for (const key of ["t", "end", "t2", "end2"]) {
      mark[key] = (mark[key] || 0) / 1000;
    }
    if (!mark.end && !mark.open) mark.end = mark.t;
    m.marks.set(mark.id, mark);
  }
  if (frame.lanes) {
    m.lanes = frame.lanes;
    m.laneOf.clear();
    m.lanes.forEach((lane, i) => {
      for (const member of lane.members) m.laneOf.set(member, i);
    });
  }
  Object.assign(m.counts, frame.counts || {});
  Object.assign(m.sources, frame.sources || {});
  if (frame.buttons) m.buttons = frame.buttons;
  m.changed++;
}

function addEvent(m, e) {
  const t = e.t / 1000;
  if (e.kind === "begin") { m.begin = e; return; }
  if (e.kind !== "over") m.last = Math.max(m.last, t);
  const p = m.processes.get(e.p);
  switch (e.kind) {
  case "say": m.said = e.text; break;
  case "step":
    m.steps.push({ t, text: e.text });
    m.first = Math.min(m.first, t);
    break;
  case "ask": { // the step begins when the lecturer has answered
    const step = m.steps[m.steps.length - 1];
    if (e.text && step) step.asked = true;
    if (!e.text && step && step.asked) Object.assign(step, { asked: false, t });
    break;
  }
  case "verdict": m.verdict = { t, text: e.text, holds: Boolean(e.holds),
    beside: e.beside }; break;
  case "intervene":
    m.intervened = { t, text: e.text };
    m.steps = m.steps.filter(step => !step.asked); // it does not come
    break;
  case "outcome": if (e.name !== "as it is") m.how = e.name; break;
  case "fail": m.failed = { t, text: e.text }; break;
  case "over": m.over = true; break;
  case "change": m.changes.push(e); break;
  case "start":
    m.first = Math.min(m.first, t);
    m.processes.set(e.p, { number: e.p, program: e.program, role: e.role,
      label: e.label, pid: e.pid, start: t, end: Infinity, spans: [], at: [],
      deeds: [] });
    break;
  case "print":
    if (!p) break;
    p.label = e.label || p.label;
    insert(m.prints, { t, p: e.p, text: e.text, stderr: e.stderr });
    if (own(e.source)) insert(p.at, { t, source: e.source });
    break;
  case "at":
    if (p && own(e.source)) insert(p.at, { t, source: e.source });
    break;
  case "kill": case "stop":
    if (!p) break;
    if (e.kind === "stop" && e.text) m.finale = Math.min(m.finale, t);
    else p.deeds.push({ kind: e.kind, t });
    break;
  case "freeze": case "hold":
    if (p) p.spans.push({ kind: e.kind, from: t, to: Infinity });
    break;
  case "go on":
    if (p) for (const s of p.spans) s.to = Math.min(s.to, t);
    break;
  case "end":
    if (!p) break;
    p.end = t;
    p.status = e.status || 0;
    for (const s of p.spans) s.to = Math.min(s.to, t);
    break;
  }
}

// insert keeps a list in the order of time; events come nearly in order.
function insert(list, item) {
  let i = list.length;
  while (i > 0 && list[i - 1].t > item.t) i--;
  list.splice(i, 0, item);
}

// own says whether a line of source is one of the programs' own.
function own(source) {
  return source && !/^(internal\/|\/)/.test(source);
}

// lastBefore returns the last item of a list that is at or before a time.
function lastBefore(list, t) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].t <= t) low = middle + 1; else high = middle;
  }
  return list[low - 1];
}

// The end of the story, if it has one by now: what happens later is only
// tidied up.
function endOf(m) {
  if (m.finale < Infinity) return m.finale;
  if (m.verdict) return m.verdict.t;
  return m.over ? m.last : Infinity;
}

// stepAt returns the number of the step that a time is in; 0: none yet.
function stepAt(m, t) {
  let n = 0;
  while (n < m.steps.length && !m.steps[n].asked && m.steps[n].t < t) n++;
  return n;
}

// prune forgets what is long past, in free play, where nobody looks back for
// hours.
function prune(m, keep) {
  if (m.marks.size <= 2 * keep) return;
  const ids = [...m.marks.keys()].sort((a, b) => a - b);
  for (const id of ids.slice(0, -keep)) {
    if (!m.marks.get(id).open) m.marks.delete(id);
  }
  m.prints.splice(0, Math.max(0, m.prints.length - keep));
  for (const p of m.processes.values()) {
    p.at.splice(0, Math.max(0, p.at.length - keep));
  }
  let first = Infinity;
  for (const mark of m.marks.values()) first = Math.min(first, mark.t);
  m.first = Math.max(m.first, first);
}

// The page: what the lecturer clicks on, and what is seen when.

const $ = id => document.getElementById(id);

// With -without there are two runs: as it is, and without a line.
const runs = [newModel()];
let model = runs[0]; // the one that is shown

// take adds a frame to the run that it belongs to.
function take(frame) {
  const begins = (frame.events || []).find(e => e.kind === "begin");
  if (begins && runs[runs.length - 1].begin) {
    runs[runs.length - 1].over = true;
    runs.push(newModel());
    model = runs[runs.length - 1];
    view.time = null;
    view.playing = false;
    $("runs").replaceChildren(...runs.map((run, i) => {
      const button = document.createElement("button");
      button.onclick = () => { choose(0); show(i); wake(); };
      return button;
    }));
  }
  addFrame(runs[runs.length - 1], frame);
}

// show shows one of the runs.
function show(i) {
  model = runs[(i + runs.length) % runs.length];
  view.time = null;
  view.playing = false;
  lowerKey = "";
  dirty = true;
}

// going says whether the run that is shown is still going on.
const going = () => view.live && !model.over && !server.closed && !server.lost;
const view = {
  live: false, // a story is going on
  time: null, // what is shown; null: now
  goal: null, // played up to there
  playing: false, speed: 1,
  whole: false, // all of it fits the width; else it flows
  scale: .3, // in pixels a millisecond, as it flows
  source: false, chosen: 0, auto: true,
  theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light",
};
const server = { leads: true, waits: false, asked: 0, clock: Infinity, closed: false,
  lost: false };
const reduced = matchMedia("(prefers-reduced-motion: reduce)");

// All sizes grow with the window.
function fit() {
  const size = Math.min(innerWidth / 1280, innerHeight / 720) * 16;
  document.documentElement.style.fontSize = Math.max(8, size) + "px";
  dirty = true;
}
const rem = () => parseFloat(document.documentElement.style.fontSize) / 16;

function paint() {
  const theme = themes[view.theme], style = document.documentElement.style;
  for (const name of Object.keys(theme)) {
    if (name !== "lanes") style.setProperty("--" + name, theme[name]);
  }
  style.setProperty("--sans", sans);
  style.setProperty("--mono", "'DejaVu Sans Mono', Menlo, Consolas, monospace");
  style.colorScheme = view.theme;
  dirty = true;
}

// now is the moment that has been reached.
function now() {
  if (!going()) return Math.min(endOf(model), model.last);
  return Math.max(model.last, model === runs[runs.length - 1]
    ? performance.now() - server.clock : 0);
}

const shown = () => Math.min(view.time ?? now(), now());

// The stops: the beginning, the beginning of each step, and whatever is now.
function stops() {
  const all = [model.first];
  for (const s of model.steps) if (!s.asked) all.push(s.t);
  return [...all, Infinity];
}

// The timeline that is drawn, and how much of it is out of sight.
let laid = { key: "", line: null };
function lay(width) {
  if (!view.live || view.time !== null || view.whole || model.over) {
    // As long as nothing happens it is the same.
    const key = [runs.indexOf(model), model.changed, width,
      going() ? now() : ""].join();
    if (laid.key !== key) laid = { key, line: timeline(model, now(), width) };
    return { line: laid.line, scroll: 0 };
  }
  const line = timeline(model, now(), width, view.scale);
  return { line, scroll: Math.max(0, line.width - width * .96) };
}

// At a stop there is time to see it all: the scale is chosen anew, so that
// what comes has room at the right.
function rescale() {
  const width = layOut(model, size()).right - layOut(model, size()).left;
  const line = timeline(model, now(), width * .7);
  view.scale = Math.min(1.2, Math.max(.04, line.scale));
}

function size() {
  const box = $("diagram").getBoundingClientRect(), k = rem() || 1;
  return { w: Math.max(200, box.width / k), h: Math.max(120, box.height / k) };
}

let dirty = true, drawnText = "", layout = null;

function render() {
  const o = size();
  layout = layOut(model, o);
  const { line, scroll } = lay(layout.right - layout.left);
  Object.assign(o, { until: shown(), line, scroll, theme: view.theme,
    live: view.live && view.time === null, chosen: chosen(),
    marked: view.source || view.live && !model.over });
  view.line = line;
  const text = draw(model, o);
  if (text !== drawnText) $("diagram").innerHTML = drawnText = text;
  if (document.activeElement !== $("slider")) {
    const part = line.width ? line.to(shown()) / line.width : 1;
    $("slider").value = view.time === null ? 1000 : part * 1000;
  }
  $("time").style.padding = `0 ${1.2 * rem()}px 0 ${layout.left * rem()}px`;
  heading();
  footer();
  controls();
  if (view.source) lower();
}

// set changes a text only if it is another one.
function set(id, text) {
  const element = typeof id === "string" ? $(id) : id;
  if (element.textContent !== text) element.textContent = text;
}

// shrink makes a text smaller until it fits its box.
const fitted = new Map();
function shrink(id, most, least, lines) {
  const element = $(id), key = element.textContent + innerWidth + "x" +
    innerHeight + element.clientWidth;
  if (fitted.get(id) === key) return;
  for (let size = most; ; size -= .05) {
    element.style.fontSize = size + "rem";
    if (size <= least || element.scrollHeight <=
      size * lines * 1.25 * 16 * rem() && element.scrollWidth <=
      element.clientWidth + 1) break;
  }
  fitted.set(id, element.textContent + innerWidth + "x" + innerHeight +
    element.clientWidth);
}

function heading() {
  const b = model.begin;
  if (!b) return;
  runs.forEach((run, i) => {
    const button = $("runs").children[i];
    if (!button) return;
    const v = run.verdict, mark = !v ? "" : v.holds ? "✓ " : "✗ ";
    set(button, mark + (run.begin && run.begin.without
      ? "without " + run.begin.without : "as it is"));
    button.setAttribute("aria-pressed", String(run === model));
  });
  // Of both runs, a page may have the one alone.
  const how = b.without && runs.length === 1
    ? model.how || "without " + b.without : "";
  set("title", `${b.pattern} ${b.name || ""} ${how}`.trim());
  set("claim", b.claim || "");
  document.title = $("title").textContent + ": the stage";
  shrink("claim", 1.2, .9, 2);
}

function footer() {
  const t = shown(), n = stepAt(model, t), end = now();
  const atEnd = view.time === null || t >= end;
  const body = document.body.classList;
  let text = n ? model.steps[n - 1].text : "the programs start";
  let number = n ? String(n) : "";
  const done = atEnd && !view.playing;
  const verdict = done && model.verdict;
  body.toggle("holds", Boolean(verdict && verdict.holds));
  body.toggle("fails", Boolean(verdict && !verdict.holds || done &&
    (model.failed || model.intervened)));
  if (verdict) {
    number = verdict.holds ? "✓" : "✗";
    text = verdict.text + (verdict.holds ? "" : ": the claim does NOT hold");
  } else if (done && model.failed) {
    number = "✗";
    text = model.failed.text;
  } else if (done && model.intervened) {
    number = "!";
    text = model.intervened.text;
  } else if (!model.processes.size && model.said) {
    text = model.said; // a broker starts, perhaps
  } else if (isFree()) {
    text = model.over ? "free play is over" :
      "free play: choose a process; K kills it, F freezes it, " +
      "C is Ctrl-C, A starts another";
    number = "";
  }
  if (server.lost && view.live) {
    number = "!";
    text = "the connection is lost: is the program still running?";
  }
  set("number", number);
  set("sentence", text);
  shrink("sentence", 1.3, .9, 2);
  const next = nextStop(), button = $("next");
  let say = "Next", enabled = true;
  if (next.kind === "step") say = "Next: " + next.text;
  if (next.kind === "end") say = "Next: " + (model.verdict ? "the verdict"
    : "now");
  if (next.kind === "busy") { say = "running …"; enabled = false; }
  if (next.kind === "again") say = "Again";
  button.hidden = next.kind === "none";
  set("next", say);
  button.className = say.length < 12 ? "short" : "";
  button.disabled = !enabled;
  if (say.length >= 12) shrink("next", 1.1, .88, 3);
  else button.style.fontSize = "";
  $("back").disabled = !(shown() > model.first);
  set("play", view.playing ? "Pause" : "Play");
  $("play").hidden = going() && view.time === null;
  $("speed").hidden = $("play").hidden;
  $("time").hidden = false;
}

const isFree = () => Boolean(model.begin) && model.begin.name === "free play";

// nextStop says what Next leads to.
function nextStop() {
  const t = shown();
  if (view.time !== null && t < now() - .01) {
    const i = model.steps.findIndex(s => !s.asked && s.t >= t - .01 &&
      s.t > model.first - 1);
    if (i >= 0) return { kind: "step", text: model.steps[i].text, index: i };
    return { kind: "end" };
  }
  if (view.live && !model.over) {
    if (server.waits && server.leads) {
      return { kind: "step", text: model.steps.length
        ? model.steps[model.steps.length - 1].text : "", click: true };
    }
    return { kind: isFree() || model.intervened ? "none" : "busy" };
  }
  return { kind: "again" };
}

function next() {
  const to = nextStop();
  if (view.playing && view.goal !== null) { // it was not to be watched
    view.time = view.goal;
    stopPlaying();
    return;
  }
  if (to.click) {
    click({ do: "next", asked: server.asked });
  } else if (to.kind === "again") {
    view.time = model.first;
    playTo(model.steps.length && model.steps[0].t > model.first + 1
      ? model.steps[0].t : stopAfter(model.first));
  } else if (to.kind === "step") {
    // Up to where the step after it begins.
    playTo(stopAfter(Math.max(model.steps[to.index].t, shown())));
  } else if (to.kind === "end") {
    playTo(Infinity);
  }
  dirty = true;
}

const stopAfter = t => stops().find(s => s > t + .01);

function playTo(t) {
  if (reduced.matches) {
    view.time = t;
    stopPlaying();
    return;
  }
  view.goal = t;
  view.playing = true;
}

function stopPlaying() {
  view.playing = false;
  view.goal = null;
  if (view.time >= now() - .01) view.time = null;
  dirty = true;
}

function back() {
  const t = view.playing ? view.time : shown();
  view.playing = false;
  const before = stops().filter(s => s < t - .01);
  view.time = before.length ? before[before.length - 1] : model.first;
  view.goal = null;
  dirty = true;
}

function play() {
  if (view.playing) { stopPlaying(); return; }
  if (view.time === null || view.time >= now()) view.time = model.first;
  view.goal = null;
  view.playing = true;
}

// A moment passes: while it plays, time goes as the picture is wide.
let lastFrame = 0;
function tick(at) {
  const passed = Math.min(100, at - lastFrame);
  lastFrame = at;
  if (view.playing && view.line) {
    const line = view.line;
    const place = line.to(view.time) + passed * line.scale * view.speed;
    const goal = Math.min(view.goal ?? Infinity, now());
    view.time = Math.max(line.from(place), view.time + 1e-3);
    if (view.time >= goal - .01 || place >= line.width) {
      view.time = goal;
      stopPlaying();
    }
    dirty = true;
  }
  if (dirty || flows() && at - drawnAt > 45) {
    dirty = false;
    drawnAt = at;
    render();
  }
  if (view.playing || flows()) requestAnimationFrame(tick);
  else ticking = false;
}
let drawnAt = 0, ticking = false;

// flows says whether the picture moves by itself: not if nothing has happened
// for so long that the gap is cut.
function flows() {
  if (!view.live || model.over || view.time !== null || server.closed ||
    server.lost || model.first === Infinity) return false;
  const line = view.line;
  return !line || now() - model.last < 1500 || line.to(now()) - line.scroll > 0
    && performance.now() - stillSince() < 60000 && grows(line);
}

const stillSince = () => server.clock + model.last;

function grows() {
  if (!layout) return true;
  const width = layout.right - layout.left;
  return (now() - model.last) * view.scale < capWork * width * 1.1;
}

function wake() {
  if (!ticking) {
    ticking = true;
    lastFrame = performance.now();
    requestAnimationFrame(tick);
  }
}

// chosen is the process that is looked at: the one that was clicked on, or
// else one that has printed lately.
let autoChosen = 0, autoSince = 0;
function chosen() {
  if (view.chosen && !view.auto) return view.chosen;
  const t = shown();
  const current = model.processes.get(autoChosen);
  if (performance.now() - autoSince < 1500 && going() && !server.waits &&
    current && current.start <= t && current.end > t) return autoChosen;
  let best = 0;
  const last = lastBefore(model.prints, t);
  if (last) best = last.p;
  // Whoever was killed or frozen just now is what it is about.
  for (const p of model.processes.values()) {
    for (const d of [...p.deeds, ...p.spans.map(s => ({ t: s.from }))]) {
      if (d.t <= t && d.t > t - 700) best = p.number;
    }
  }
  if (best && best !== autoChosen) {
    autoChosen = best;
    autoSince = performance.now();
  }
  return best;
}

function choose(number) {
  view.chosen = number;
  view.auto = !number;
  dirty = true;
}

// picked is the process that buttons and keys are for: only one that was
// clicked on. Who has printed lately is another one at any moment.
const picked = () => model.processes.get(view.auto ? 0 : view.chosen);

// follow goes on to who takes the place of the process that was clicked on.
function follow(events) {
  for (const e of events || []) {
    const old = picked(), lane = old && model.laneOf.get(String(old.number));
    if (old && e.kind === "start" && old.end < Infinity &&
      lane !== undefined && lane === model.laneOf.get(String(e.p))) {
      choose(e.p);
    }
  }
}

// members returns the processes of a lane, the newest first.
function members(lane) {
  return lane.members.map(n => model.processes.get(parseInt(n, 10)))
    .filter((p, i, all) => p && all.indexOf(p) === i).reverse();
}

// chooseLane chooses the process of a lane that runs, or did last; a further
// click chooses the one before it.
function chooseLane(index) {
  const all = members(model.lanes[index]);
  if (!all.length) return;
  const i = all.findIndex(p => p.number === view.chosen);
  const running = all.find(p => p.end > shown()) || all[0];
  choose(i < 0 || view.auto ? running.number
    : all[(i + 1) % all.length].number);
}

function step(by) {
  const order = model.lanes.map((lane, i) => i)
    .filter(i => members(model.lanes[i]).length);
  const here = model.lanes.findIndex(lane =>
    lane.members.some(n => parseInt(n, 10) === chosen()));
  const at = order.indexOf(here);
  const to = order[(at + by + order.length) % order.length];
  if (to !== undefined) { view.auto = true; chooseLane(to); }
}

function colourOf(p) {
  const row = layout && layout.rows.find(row =>
    row.members.some(n => parseInt(n, 10) === p));
  const all = themes[view.theme].lanes;
  return row && !row.queue ? all[row.colour % all.length]
    : themes[view.theme].text;
}

function controls() {
  document.body.classList.toggle("live", view.live && !model.over);
  document.body.classList.toggle("source", view.source);
  if (!view.live) return;
  const p = picked();
  set("chosen", p ? p.label : model.processes.size ? "choose a process"
    : "no process yet");
  $("chosen").style.color = p ? colourOf(p.number) : "";
  const runs = p && p.end === Infinity && server.leads && !server.closed;
  const frozen = p && p.spans.some(s => s.to === Infinity);
  for (const button of document.querySelectorAll("[data-act]")) {
    button.disabled = !runs && !(button.dataset.act === "another" && p &&
      server.leads && !server.closed);
  }
  set(document.querySelector("[data-act=freeze]"),
    frozen ? "Go on" : "Freeze");
  set(document.querySelector("[data-act=another]"),
    p && p.end < Infinity ? "Start again" : "Another");
  const names = model.buttons.join("\n");
  if ($("buttons").dataset.names !== names) {
    $("buttons").dataset.names = names;
    $("buttons").replaceChildren(...model.buttons.map(name => {
      const button = document.createElement("button");
      button.textContent = name;
      button.onclick = () => click({ do: "press", button: name });
      return button;
    }));
  }
  for (const button of $("buttons").children) {
    button.disabled = !server.leads || server.closed;
  }
  $("lead").hidden = server.leads;
}

// lower shows the source of the chosen process, with the line that it is at,
// and what all print.
let lowerKey = "";
function lower() {
  const t = shown(), p = model.processes.get(chosen());
  const at = p && lastBefore(p.at, t);
  const [file, number] = at ? at.source.split(":")
    : p ? [p.program + "/main.go", "1"] : ["", "0"];
  const to = model.prints.length &&
    model.prints.indexOf(lastBefore(model.prints, t)) + 1;
  const key = [file, number, p && p.number, to, view.theme, innerWidth,
    innerHeight].join();
  if (key === lowerKey) return;
  lowerKey = key;
  const changed = changesIn(file);
  set(document.querySelector("#code h2"), file ? `${p.label}: ${file}` +
    (changed.length ? `, ${changed[0].what}` : "") : "");
  const code = document.querySelector("#code ol");
  const all = model.sources[file] || common[file], height = 10;
  code.replaceChildren();
  if (all) {
    const first = Math.max(0, Math.min(all.length - height, number - 6));
    const part = all.slice(first, first + height);
    const indents = part.filter(l => l.trim()).map(l => l.match(/^ */)[0].length);
    const indent = Math.min(...indents, 40);
    part.forEach((line, i) => {
      const li = document.createElement("li");
      li.innerHTML = `<b>${first + i + 1}</b>${line.slice(indent)}`;
      if (changed.some(c => first + i + 1 >= c.from && first + i + 1 < c.to)) {
        li.className = "changed";
      }
      if (first + i + 1 === Number(number)) li.classList.add("lit");
      code.append(li);
    });
  }
  const list = document.querySelector("#lines ol");
  list.replaceChildren(...model.prints.slice(Math.max(0, to - 10), to)
    .map(line => {
      const li = document.createElement("li");
      const who = model.processes.get(line.p);
      const label = who ? who.label : "";
      li.textContent = line.text.startsWith(label) ? line.text
        : `${label}: ${line.text}`;
      if (li.textContent.length > 120) {
        li.textContent = li.textContent.slice(0, 118) + " …";
      }
      li.style.color = line.stderr ? themes[view.theme].bad
        : colourOf(line.p);
      return li;
    }));
  const room = $("lines");
  while (list.children.length > 1 && room.scrollHeight > room.clientHeight) {
    list.firstChild.remove();
  }
}

// changesIn returns where a file was changed for this run.
function changesIn(file) {
  return model.changes.filter(c => c.source.split(":")[0] === file).map(c => {
    const from = Number(c.source.split(":")[1]);
    const gone = c.text.trim().split("\n")[0];
    return { from, to: from + Math.max(1, c.become
      ? c.become.split("\n").length : 1), what: `line ${from} was: ${gone}` };
  });
}

// save gives the picture to the lecturer, as a file.
function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([picture()],
    { type: "image/svg+xml" }));
  link.download = $("title").textContent.replaceAll(/[^\w-]+/g, "-") + ".svg";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// picture returns the picture as it is shown, as an SVG file.
function picture() {
  const o = size();
  return drawnText.replace("<svg ", `<svg width="${r(o.w)}" ` +
    `height="${r(o.h)}" `) + "\n";
}

const actions = {
  source() { view.source = !view.source; },
  theme() { view.theme = view.theme === "dark" ? "light" : "dark"; paint(); },
  whole() { view.whole = !view.whole; },
  export: save,
  end() { click({ do: "end" }); },
};

// The server: events down, clicks up.
const query = new URLSearchParams(location.search);
const tab = (() => {
  try {
    return sessionStorage.tab ||= Math.random().toString(36).slice(2);
  } catch { // a file has no storage
    return "file";
  }
})();

function click(what) {
  if (!view.live) return;
  const note = text => {
    set("note", text);
    clearTimeout(note.timer);
    note.timer = setTimeout(() => set("note", ""), 6000);
  };
  fetch("/click?token=" + query.get("token"), { method: "POST",
    body: JSON.stringify({ tab, ...what }) })
    .then(async answer => note(answer.ok ? "" : (await answer.text()).trim()))
    .catch(() => note("nobody answers: the program has ended"));
}

function act(what) {
  const p = picked();
  if (!p) return;
  if (what === "freeze" && p.spans.some(s => s.to === Infinity)) {
    what = "go on";
  }
  click({ do: what, process: p.number });
}

// synchronize sets the clock: that time has been reached.
function synchronize(time) {
  server.clock = Math.min(server.clock, performance.now() - time);
}

function listen() {
  view.live = true;
  view.source = true;
  const events = new EventSource("/events?" + new URLSearchParams({
    token: query.get("token"), tab }));
  events.onmessage = message => {
    const frame = JSON.parse(message.data);
    server.lost = false;
    if (frame.events && frame.events.some(e => e.name === "free play")) {
      view.scale = .15; // what flows slowly needs no more
    }
    if (frame.closed) {
      server.closed = true;
      events.close();
    }
    const last = runs[runs.length - 1];
    take(frame);
    follow(frame.events);
    if (last !== runs[runs.length - 1]) server.clock = Infinity;
    synchronize(runs[runs.length - 1].last);
    if (isFree()) prune(model, 2000); // nobody looks back for hours
    if (runs[runs.length - 1] !== last) view.whole = false;
    if (model.over && !view.whole) {
      view.whole = true;
      setSpeed();
    }
    dirty = true;
    wake();
  };
  events.addEventListener("state", message => {
    const state = JSON.parse(message.data);
    if (state.waits && !server.waits) rescale();
    Object.assign(server, state);
    if (state.now > 0) synchronize(state.now);
    server.lost = false;
    dirty = true;
    wake();
  });
  events.onerror = () => {
    server.lost = !server.closed;
    dirty = true;
    wake();
  };
}

// What is clicked on, and typed.
for (const button of document.querySelectorAll("[data-do]")) {
  button.onclick = () => {
    actions[button.dataset.do]();
    dirty = true;
    wake();
  };
}
for (const button of document.querySelectorAll("[data-act]")) {
  button.onclick = () => act(button.dataset.act);
}
$("menu").onclick = () => {
  $("choices").hidden = !$("choices").hidden;
  $("menu").setAttribute("aria-expanded", String(!$("choices").hidden));
};
$("lead").onclick = () => click({ do: "lead" });
$("next").onclick = () => { next(); wake(); };
$("back").onclick = () => { back(); wake(); };
$("play").onclick = () => { play(); wake(); };
$("slider").oninput = () => {
  view.playing = false;
  const part = Number($("slider").value) / 1000;
  // In what flows, the slider is over what has happened so far.
  const line = timeline(model, now(), layout.right - layout.left);
  view.time = part >= 1 ? null : line.from(part * line.width);
  dirty = true;
  wake();
};
$("slider").onchange = () => $("slider").blur();
// Not a click: the picture may be drawn anew while the button is down.
$("diagram").onpointerdown = event => {
  const lane = event.target.closest("[data-lane]");
  if (lane) chooseLane(Number(lane.dataset.lane));
  else if (!$("choices").hidden) $("menu").click();
  wake();
};
const speeds = [1 / 512, 1 / 256, 1 / 128, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8];
for (const s of speeds) {
  const text = s < 1 ? `1/${1 / s} speed` : s === 1 ? "real speed"
    : `${s} times`;
  $("speed").append(new Option(text, String(s)));
}
$("speed").onchange = () => { view.speed = Number($("speed").value); };

function setSpeed() { // so that a replay takes some fifteen seconds
  const line = timeline(model, now(), 1000);
  const wanted = line.width / line.scale / 15000;
  view.speed = speeds.reduce((a, b) =>
    Math.abs(Math.log(b / wanted)) < Math.abs(Math.log(a / wanted)) ? b : a);
  $("speed").value = String(view.speed);
}

const keys = {
  " ": next, ArrowRight: next, ArrowLeft: back,
  ArrowUp: () => step(-1), ArrowDown: () => step(1),
  t: () => show(runs.indexOf(model) + 1),
  d: actions.source, l: actions.theme, w: actions.whole, s: save, p: play,
  k: () => act("kill"), f: () => act("freeze"), c: () => act("stop"),
  a: () => act("another"),
  "+": () => { view.scale *= 1.5; }, "-": () => { view.scale /= 1.5; },
  "?": () => $("menu").click(), Escape: () => { $("choices").hidden = true; },
};
addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.matches("select")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.key === "Enter" && event.target.dataset.lane) {
    chooseLane(Number(event.target.dataset.lane));
  } else if (keys[key]) {
    keys[key]();
    event.preventDefault();
  } else {
    return;
  }
  dirty = true;
  wake();
});
addEventListener("resize", () => { fit(); wake(); });
matchMedia("(prefers-color-scheme: dark)").onchange = event => {
  view.theme = event.matches ? "dark" : "light";
  paint();
  wake();
};

// In a frame of another page there is nowhere to go back to.
if ($("home") && window !== top) $("home").hidden = true;

fit();
paint();
if (kept) { // a record, to be replayed
  kept.forEach(take);
  setSpeed();
  for (const button of document.querySelectorAll(".live")) button.hidden = true;
} else {
  listen();
}
wake();

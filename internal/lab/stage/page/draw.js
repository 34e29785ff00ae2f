// The picture: lanes are rows, time runs to the right. draw returns SVG, for
// the page and for the file that is saved.

// Every colour of a text is at least 6:1 on its ground; a test sees to it.
const themes = {
  light: {
    ground: "#ffffff", panel: "#f2f3f7", line: "#d5d9e2", text: "#14171f",
    quiet: "#535a67", strong: "#0b5aad", onstrong: "#ffffff",
    good: "#116632", bad: "#b3001b", lit: "#ffe08a", onlit: "#14171f",
    word: "#6f2da8", string: "#116632", arrow: "#2a303c", again: "#a34100",
    area: "#cbdcf0", onbar: "#ffffff", ack: "#7d8592",
    lanes: ["#0b5aad", "#a34100", "#116632", "#7033a6", "#005f6b", "#9c1150",
      "#5a5200", "#3f4fb5", "#7a4418"],
  },
  dark: {
    ground: "#0f141b", panel: "#1a212b", line: "#39424f", text: "#f1f4f8",
    quiet: "#a7b0bd", strong: "#7ab8ff", onstrong: "#0f141b",
    good: "#70dd8b", bad: "#ff8078", lit: "#5a4a00", onlit: "#ffffff",
    word: "#d3aaff", string: "#70dd8b", arrow: "#dbe1ea", again: "#ffab5e",
    area: "#26384d", onbar: "#0f141b", ack: "#8b94a2",
    lanes: ["#7ab8ff", "#ffab5e", "#70dd8b", "#cfa8ff", "#5fd5dd", "#ff9cc6",
      "#dccb5b", "#a9b4ff", "#dfae85"],
  },
};

const sans = "'DejaVu Sans', Verdana, 'Segoe UI', system-ui, sans-serif";

const escape = text => String(text).replace(/[&<>"]/g,
  c => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

const ruler = document.createElement("canvas").getContext("2d");
const widths = new Map();

// widthOf returns how wide a text is.
function widthOf(text, size, bold) {
  const key = (bold ? "b" : "n") + text;
  if (!widths.has(key)) {
    if (widths.size > 5000) widths.clear();
    ruler.font = (bold ? "bold " : "") + "100px " + sans;
    widths.set(key, ruler.measureText(text).width / 100);
  }
  return widths.get(key) * size;
}

// A Placer puts texts where nothing else stands. It looks for that in columns
// of the picture, since there may be thousands of bars.
function newPlacer(left, w, h) {
  const column = 64, columns = new Map();
  const over = (b, f) => {
    const last = Math.floor((b.x + b.w) / column);
    for (let i = Math.floor(b.x / column); i <= last; i++) {
      if (!columns.has(i)) columns.set(i, []);
      if (f(columns.get(i))) return true;
    }
    return false;
  };
  const keep = b => over(b, boxes => { boxes.push(b); });
  const free = b => b.x >= left && b.y >= 0 && b.x + b.w <= w - 3 &&
    b.y + b.h <= h && !over(b, boxes => boxes.some(o => b.x < o.x + o.w &&
      o.x < b.x + b.w && b.y < o.y + o.h && o.y < b.y + b.h));
  return {
    block: (x, y, width, height) => keep({ x, y, w: width, h: height }),
    // place returns the first of the spots (x, y of the text's baseline,
    // anchor) at which the text can stand, and keeps it.
    place(text, size, bold, spots) {
      const width = widthOf(text, size, bold);
      for (const [x, y, anchor] of spots) {
        const left = anchor === "middle" ? x - width / 2
          : anchor === "end" ? x - width : x;
        const box = { x: left - 2, y: y - size * .93, w: width + 4,
          h: size * 1.18 };
        if (free(box)) {
          keep(box);
          return { x: left, y };
        }
      }
      return null;
    },
  };
}

// draw draws the model as it was at a time.
//   w, h: the size; until: the time; line: see timeline; scroll: how much of
//   it is out of sight at the left; theme; live; chosen: a process
function draw(m, o) {
  const theme = themes[o.theme], out = [];
  const lanes = layOut(m, o);
  const { left, right, top, bottom, unit } = lanes;
  const x = t => left + o.line.to(t) - o.scroll;
  const now = Math.min(o.until, endOf(m));
  const edge = Math.min(x(now), right); // what is later is not seen
  const shows = (from, to) => x(to) >= left - 2 && x(from) <= right + 2;
  const final = m.over && o.until >= endOf(m);
  const placer = newPlacer(left - 16, o.w, o.h);
  const label = (text, size, colour, spots, bold = true, more = "") => {
    const at = placer.place(text, size, bold, spots);
    if (!at) return false;
    texts.push(`<text x="${r(at.x)}" y="${r(at.y)}" font-size="${r(size)}"` +
      `${bold ? ' font-weight="bold"' : ""} fill="${colour}"${more}>` +
      escape(text) + "</text>");
    return true;
  };
  const texts = [], under = [], shapes = [], over = [];
  const barHeight = Math.max(13, Math.min(30, unit * .42));
  const small = Math.max(14, Math.min(19, unit * .36));
  const colourOf = i => lanes.rows[i].queue ? theme.quiet
    : theme.lanes[lanes.rows[i].colour % theme.lanes.length];

  // Whatever is to be drawn, sorted out by kind.
  const marks = [...m.marks.values()].filter(k => k.t <= now ||
    k.kind === "lost" && final);
  const of = kind => marks.filter(k => k.kind === kind);
  const rowOf = member => m.laneOf.get(member);

  // The names of the lanes. If they are too many, not each has one.
  let lastName = -Infinity;
  for (const row of lanes.rows) {
    const chosen = row.members.includes(String(o.chosen));
    const size = row.size;
    const y = row.queue ? row.y - row.room * .42 : row.y + size * .36;
    const named = y - lastName >= size * 1.1;
    if (named) lastName = y;
    out.push(`<g data-lane="${row.index}" tabindex="0" role="button">` +
      `<rect x="0" y="${r(row.top)}" width="${r(left - 14)}" ` +
      `height="${r(row.bottom - row.top)}" fill="transparent"/>` +
      (chosen && o.marked ? `<rect x="${r(left - 12)}" y="${r(y - size * .95)}" width="4"` +
        ` height="${r(size * 1.2)}" fill="${colourOf(row.index)}"/>` : "") +
      (named ? `<text x="${r(left - 18)}" y="${r(y)}" text-anchor="end" ` +
      `font-size="${r(size)}" font-weight="bold" ` +
      `fill="${colourOf(row.index)}">${escape(row.label)}</text>` : "") +
      "</g>");
    let below = y + 2;
    for (const note of [row.name, laneNote(m, row, now)]) {
      if (!note || below + 20 > row.bottom) continue;
      below += 18;
      out.push(`<text x="${r(left - 18)}" y="${r(below)}" text-anchor="end"` +
        ` font-size="15" font-weight="bold" fill="${theme.quiet}">` +
        `${escape(note)}</text>`);
    }
  }

  // The steps: a numbered dot, and a dotted line down.
  let lastStep = -Infinity;
  m.steps.forEach((s, i) => {
    if (s.asked || s.t > now || !shows(s.t, s.t)) return;
    const at = Math.max(x(s.t), left);
    under.push(`<line class="step" x1="${r(at)}" x2="${r(at)}" ` +
      `y1="${r(top - 8)}" y2="${r(bottom)}" stroke="${theme.quiet}" ` +
      `stroke-dasharray="1.5 5" stroke-width="1.5"/>`);
    const seen = Math.min(Math.max(at, lastStep + 30), right - 14);
    lastStep = seen;
    over.push(`<circle cx="${r(seen)}" cy="${r(top - 22)}" r="14" ` +
      `fill="${theme.text}"/><text x="${r(seen)}" y="${r(top - 16.5)}" ` +
      `font-size="16" font-weight="bold" text-anchor="middle" ` +
      `fill="${theme.ground}" stroke="none">${i + 1}</text>`);
    placer.block(seen - 15, top - 37, 30, 30);
  });

  // The queues: how many messages wait.
  const depths = lanes.rows.map(() => null);
  for (const row of lanes.rows.filter(row => row.queue)) {
    const steps = of("depth").filter(k => rowOf(k.lane) === row.index)
      .sort((a, b) => a.t - b.t || a.id - b.id);
    let most = 1;
    for (const k of m.marks.values()) {
      if (k.kind === "depth" && rowOf(k.lane) === row.index) {
        most = Math.max(most, k.count || 0);
      }
    }
    const height = n => n ? Math.max(3, n / most * row.room) : 0;
    depths[row.index] = t => height((lastBefore(steps, t) || {}).count || 0);
    const colour = theme.lanes[0];
    const from = Math.max(left, x(m.first));
    let path = `M${r(from)} ${r(row.y)}`, lastNumber = -Infinity;
    const numbers = [];
    let seen = steps.findIndex(k => x(k.t) >= left); // and what was before
    if (seen < 0) seen = steps.length;
    for (const k of steps.slice(Math.max(0, seen - 1))) {
      const at = Math.max(left, Math.min(x(k.t), edge));
      const y = row.y - height(k.count || 0);
      path += `H${r(at)}V${r(y)}`;
      numbers.push([at, y, k.count || 0]);
    }
    path += `H${r(edge)}V${r(row.y)}Z`;
    under.push(`<path class="depth" d="${path}" fill="${theme.area}" ` +
      `stroke="${colour}" stroke-width="2"/>`);
    row.numbers = () => {
      for (let i = 0; i < numbers.length; i++) {
        const [at, y, n] = numbers[i];
        const next = i + 1 < numbers.length ? numbers[i + 1][0] : edge;
        // One that is gone at once is no number to read.
        if (next - at < Math.min(8, widthOf(String(n), 16, true)) ||
          at < lastNumber || at < left) continue;
        if (label(String(n), 16, colour, [[at + 3, y - 6]])) {
          lastNumber = at + widthOf(String(n), 16, true) + 8;
        }
      }
    };
    for (const k of of("down").filter(k => rowOf(k.lane) === row.index)) {
      const to = k.open ? edge : Math.min(x(k.end), edge);
      const at = Math.max(left, x(k.t));
      if (to <= at) continue;
      shapes.push(`<rect class="down" x="${r(at)}" y="${r(row.y - row.room)}"` +
        ` width="${r(to - at)}" height="${r(row.room)}" fill="url(#hatch)" ` +
        `stroke="${theme.bad}" stroke-width="2"/>`);
      label("broker down", 19, theme.bad, [
        [(at + to) / 2, row.y - row.room / 2 + 6, "middle"],
        [to + 6, row.y - row.room / 2 + 6], [at, row.y - row.room - 6]]);
    }
  }

  // The lives of the processes.
  const crosses = [], states = []; // texts: killed first, then frozen
  for (const row of lanes.rows) {
    if (row.queue) continue;
    const colour = colourOf(row.index);
    const all = row.members.map(n => m.processes.get(parseInt(n, 10)))
      .filter((p, i, list) => p && p.start <= now && list.indexOf(p) === i);
    const crowd = row.crowd > 1;
    const names = new Set(all.map(p => idOf(p)));
    const dead = all.filter(p => p.deeds.some(d => d.kind === "kill" &&
      d.t <= now) || p.status === -1 && p.end <= now).length;
    let mourned = dead <= 4; // else one text says how many
    // Of hundreds that live for a moment, not each is seen.
    const seen = { start: -Infinity, end: -Infinity };
    const isNew = (what, at) => {
      if (Math.abs(at - seen[what]) < 2) return false;
      seen[what] = at;
      return true;
    };
    let life = null; // several, if one follows the other at once
    const drawLife = () => {
      if (life) shapes.push(`<line class="life" x1="${r(life.from)}" ` +
        `x2="${r(life.to)}" y1="${r(row.y)}" y2="${r(row.y)}" ` +
        `stroke="${colour}" stroke-width="4"/>`);
    };
    all.forEach((p, i) => {
      const ended = p.end <= now && (p.end < m.finale || p.deeds.length > 0);
      const killed = p.deeds.find(d => d.kind === "kill" && d.t <= now);
      const from = Math.max(left, x(p.start));
      const to = killed ? Math.min(x(killed.t), edge)
        : ended ? Math.min(x(p.end), edge) : edge;
      if (!shows(p.start, ended ? p.end : now)) return;
      if (life && from >= life.from && from <= life.to + .6) {
        life.to = Math.max(life.to, to);
      } else {
        drawLife();
        life = { from, to: Math.max(from, to) };
      }
      if (x(p.start) >= left - 10 && !(crowd && i) && isNew("start", from)) {
        const size = Math.min(8, barHeight / 2);
        over.push(`<circle class="start" cx="${r(from)}" cy="${r(row.y)}" ` +
          `r="${r(size)}" fill="${theme.ground}" stroke="${colour}" ` +
          `stroke-width="3.5"/>`);
        const name = idOf(p);
        if (names.size > 1 && name && !crowd) {
          const y = row.y + barHeight / 2 + small;
          row.names = row.names || [];
          row.names.push(() => label(name, small, colour, [[from - 4, y],
            [from - 4, row.y - barHeight / 2 - 6], [from + 12, y]]));
        }
      }
      const stopped = p.deeds.some(d => d.kind === "stop" && d.t <= now);
      for (const s of p.spans) {
        if (s.from > now || s.from >= endOf(m)) continue;
        const end = Math.min(s.to <= now ? x(s.to) : edge, to), begin =
          Math.max(left, x(s.from));
        if (end - begin < 2) continue;
        // Held still is what the lab does while the lecturer talks.
        if (s.kind === "hold" && s.to <= now) continue;
        over.push(`<rect class="${s.kind}" x="${r(begin)}" ` +
          `y="${r(row.y - barHeight / 2 - 3)}" width="${r(end - begin)}" ` +
          `height="${r(barHeight + 6)}" fill="url(#hatch)" ` +
          `stroke="${theme.bad}" stroke-width="1.5" ` +
          `${s.kind === "hold" ? 'stroke-dasharray="3 3"' : ""}/>`);
        const word = s.kind === "hold" ? "held still" : "frozen";
        const y = row.y + barHeight / 2 + small + 4;
        states.push(() => label(word, small, theme.bad,
          [[(begin + end) / 2, y, "middle"],
            [(begin + end) / 2, row.y - barHeight / 2 - 8, "middle"],
            [begin, y], [end, y, "end"]]));
      }
      const violent = killed || p.status === -1;
      if (ended && violent || killed) {
        const at = Math.min(killed ? x(killed.t) : x(p.end), edge);
        if (at < left) return;
        const s = Math.max(9, Math.min(16, barHeight * .55));
        const d = `M${r(at - s)} ${r(row.y - s)}l${2 * s} ${2 * s}` +
          `m0 ${-2 * s}l${-2 * s} ${2 * s}`;
        over.push(`<g class="cross"><path d="${d}" stroke="${theme.ground}" ` +
          `stroke-width="10" fill="none"/><path d="${d}" ` +
          `stroke="${theme.bad}" stroke-width="6" fill="none"/></g>`);
        placer.block(at - s, row.y - s, 2 * s, 2 * s);
        if (dead > 4 && mourned) return;
        mourned = dead > 4;
        const text = dead > 4 ? `${dead} killed` : "killed";
        crosses.push(() => label(text, small, theme.bad, [
          [at, row.y + s + small, "middle"], [at, row.y - s - 6, "middle"],
          [right, row.y + s + small, "end"], [at + s + 6, row.y + small * .36],
          [at - s - 6, row.y + small * .36, "end"],
          [at - s - 6, row.y + s + small, "end"],
          [at + s + 6, row.y + s + small]]));
      } else if (ended && stopped) {
        const at = Math.min(x(p.end), right - 6);
        over.push(`<rect class="stop" x="${r(at - 6)}" y="${r(row.y - 6)}" ` +
          `width="12" height="12" fill="${colour}"/>`);
      } else if (ended && !crowd && (p.status || isNew("end", to))) {
        const h = barHeight * .42, end = p.status ? theme.bad : colour;
        over.push(`<line class="end" x1="${r(to)}" x2="${r(to)}" ` +
          `y1="${r(row.y - h)}" y2="${r(row.y + h)}" stroke="${end}" ` +
          `stroke-width="4"/>`);
        if (p.status) {
          crosses.push(() => label(`exit ${p.status}`, small, theme.bad, [
            [to, row.y + h + small, "middle"], [to, row.y - h - 6, "middle"],
            [to + 8, row.y + small * .36], [to, row.y + h + small, "end"]]));
        }
      }
    });
    drawLife();
  }

  // Work, and waiting.
  const bars = [];
  for (const kind of ["wait", "bar"]) {
    const levels = new Map();
    for (const k of of(kind).sort((a, b) => a.t - b.t)) {
      const i = rowOf(k.lane);
      if (i === undefined) continue;
      const row = lanes.rows[i];
      const end = k.open || k.end > now ? now : k.end;
      if (k.t >= endOf(m) && k.t > now - .01) continue;
      // Several at once stand above each other.
      const busy = levels.get(i) || [];
      let level = busy.findIndex(t => t <= k.t);
      if (level < 0) level = busy.length;
      busy[level] = end;
      levels.set(i, busy);
      if (!shows(k.t, end)) continue;
      const from = Math.max(left, x(k.t));
      const to = Math.max(from + 1.5, Math.min(x(end), edge));
      bars.push({ kind, k, i, row, from, to, level, t: k.t, end,
        colour: colourOf(i) });
    }
    for (const b of bars) {
      if (b.kind === kind) b.levels = Math.min(4, levels.get(b.i).length);
    }
  }
  const slots = new Set();
  for (const b of bars) {
    const full = b.kind === "wait" ? Math.max(12, barHeight * .66) : barHeight;
    b.h = full / b.levels;
    b.y = b.row.y - full / 2 + Math.min(b.level, b.levels - 1) * b.h;
    // Of many that are too narrow to be seen, some are drawn.
    const slot = b.i * 1e6 + Math.round(b.from * 2);
    if (b.to - b.from < 2 && !b.k.cut && slots.has(slot)) continue;
    slots.add(slot);
    const gap = b.to - b.from > 5 ? .8 : 0;
    if (b.kind === "wait") {
      shapes.push(`<rect class="wait" x="${r(b.from)}" y="${r(b.y)}" ` +
        `width="${r(b.to - b.from)}" height="${r(b.h)}" ` +
        `fill="${theme.ground}" stroke="${b.colour}" stroke-width="2" ` +
        `stroke-dasharray="6 4"/>`);
      continue;
    }
    shapes.push(`<rect class="bar" x="${r(b.from + gap)}" y="${r(b.y)}" ` +
      `width="${r(Math.max(1.5, b.to - b.from - 2 * gap))}" ` +
      `height="${r(b.h)}" rx="${b.h > 10 ? 2 : 0}" fill="${b.colour}"` +
      (b.k.cut && b.end <= now && !b.k.open ? ` stroke="${theme.bad}" ` +
        `stroke-width="3"` : "") + `/>`);
    const size = Math.max(14, Math.min(16, b.h * .62));
    const text = b.k.label || "";
    b.shown = text && b.h >= 13 &&
      widthOf(text, size, true) + 6 <= b.to - b.from;
    if (b.shown) {
      texts.push(`<text x="${r((b.from + b.to) / 2)}" ` +
        `y="${r(b.y + b.h / 2 + size * .36)}" font-size="${r(size)}" ` +
        `font-weight="bold" text-anchor="middle" fill="${theme.onbar}" ` +
        `stroke="none">${escape(text)}</text>`);
    }
    placer.block(b.from, b.y, b.to - b.from, b.h);
  }
  // The bars of each lane, in the order of their beginnings.
  const barsOf = lanes.rows.map(() => []);
  for (const b of bars) barsOf[b.i].push(b);
  for (const list of barsOf) list.sort((p, q) => p.t - q.t);
  const barAt = (i, t, fits = () => true) => {
    const list = barsOf[i];
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle].t <= t + .6) low = middle + 1; else high = middle;
    }
    // Some may have begun before, and go on longer.
    for (let n = low - 1; n >= 0 && n > low - 9; n--) {
      if (list[n].end >= t - .6 && fits(list[n])) return list[n];
    }
    return null;
  };

  // Where an arrow touches a lane.
  const touch = (i, t, down) => {
    const row = lanes.rows[i];
    if (row.queue) {
      return down ? row.y + 2 : row.y - depths[i](t) - 1;
    }
    const bar = barAt(i, t);
    const half = bar ? (bar.kind === "wait" ? Math.max(12, barHeight * .66)
      : barHeight) / 2 + 1 : 4;
    return down ? row.y + half : row.y - half;
  };

  // Arrows, gathered by the lanes that they join.
  const pairs = new Map();
  let total = 0;
  for (const k of marks) {
    if (!["message", "again", "back", "ack"].includes(k.kind)) continue;
    const a = rowOf(k.lane), b = rowOf(k.to);
    if (a === undefined || b === undefined || a === b) continue;
    const end = Math.max(k.end, k.end2 || 0);
    if (!shows(k.t, end) || k.t >= endOf(m)) continue;
    const key = [a, b, k.kind].join();
    if (!pairs.has(key)) pairs.set(key, []);
    pairs.get(key).push(k);
    total++;
  }
  const later = [];
  for (const [key, list] of pairs) {
    const [a, b] = key.split(",").map(Number);
    drawPair(a, b, list.sort((p, q) => p.t - q.t));
  }

  function drawPair(a, b, list) {
    const kind = list[0].kind, down = lanes.rows[b].y > lanes.rows[a].y;
    const from = k => [x(k.t), touch(a, k.t, down)];
    const to = k => [x(k.end), touch(b, k.end, !down)];
    const style = { message: [theme.arrow, 2.6, ""],
      again: [theme.again, 4, ""], back: [theme.again, 4, ""],
      ack: [theme.ack, 1.5, "4 3"] }[kind];
    // Those too close to each other to be told apart become a band.
    const near = 2.6 * Math.max(1, total / 1000);
    const groups = [];
    for (const k of list) {
      const g = groups[groups.length - 1], p = g && g[g.length - 1];
      // Bursts that follow each other are one.
      const gap = p && p.count > 1 && k.count > 1 ? 24 : near;
      const close = p && x(k.t) - x(p.t2 || p.t) < gap &&
        Math.abs(x(k.end) - x(p.end2 || p.end)) < gap;
      if (close) g.push(k); else groups.push([k]);
    }
    const single = [];
    for (const g of groups) {
      const count = g.reduce((n, k) => n + (k.count || 1), 0);
      if (count < 4 && !g.some(k => k.count > 1)) single.push(...g);
      else band(g, count);
    }
    if (!single.length) return;
    const span = x(single[single.length - 1].t) - x(single[0].t);
    const spacing = single.length > 1 ? span / (single.length - 1) : 100;
    const thin = spacing < 14 && kind === "message";
    for (const k of single) {
      const width = thin ? 1.6 : style[1];
      arrow(from(k), to(k), style[0], width, style[2], k);
    }
    later.push(() => labels(a, b, single, spacing, style[0], down));

    function band(g, count) {
      const one = g[0], two = g.reduce((p, k) =>
        (k.t2 || k.t) > (p.t2 || p.t) ? k : p);
      const last = g.reduce((t, k) => Math.max(t, k.end2 || k.end), 0);
      const t2 = two.t2 || two.t;
      const [x1, y1] = from(one), [x4, y4] = [x(one.end),
        touch(b, one.end, !down)];
      const x2 = x(t2), x3 = x(last), y3 = touch(b, last, !down);
      under.push(`<path class="band ${kind}" data-count="${count}" ` +
        `d="M${r(x1)} ${r(y1)}L${r(x2)} ${r(y1)}L${r(x3)} ${r(y3)}` +
        `L${r(x4)} ${r(y4)}Z" fill="${style[0]}" fill-opacity=".3" ` +
        `stroke="${style[0]}" stroke-width="1.5"/>`);
      arrow([x2, y1], [x3, y3], style[0], kind === "ack" ? 1.5 : 2.6,
        style[2], null);
      if (kind === "ack" || count < 4 && groups.length > 3) return;
      const text = `${count} messages`, wide = widthOf(text, small, true) + 20;
      const inside = [.5, .35, .65].map(part => [(x1 + x2) / 2 * (1 - part) +
        (x3 + x4) / 2 * part, y1 + part * (y3 - y1) + small * .36, "middle"]);
      later.push(() => label(text, small, style[0] === theme.arrow
        ? theme.text : style[0], (x2 - x1 > wide && x3 - x4 > wide ? inside
        : []).concat(besideArrow([x2, y1], [x3, y3], small),
        besideArrow([x1, y1], [x4, y4], small, "end"))));
    }
  }

  function arrow([x1, y1], [x2, y2], colour, width, dash, k) {
    let tip = [x2, y2];
    let head = "";
    if (x2 > edge + .5 && x2 > x1) { // it is on its way
      const part = (edge - x1) / (x2 - x1 || 1);
      tip = [edge, y1 + part * (y2 - y1)];
    } else {
      const length = Math.hypot(x2 - x1, y2 - y1) || 1;
      const ux = (x2 - x1) / length, uy = (y2 - y1) / length;
      const size = Math.min(width < 2 ? 8 : 7 + 1.8 * width, length * .8);
      const bx = x2 - ux * size, by = y2 - uy * size, half = size * .42;
      head = `<path d="M${r(x2)} ${r(y2)}L${r(bx - uy * half)} ` +
        `${r(by + ux * half)}L${r(bx + uy * half)} ${r(by - ux * half)}Z" ` +
        `fill="${colour}"/>`;
      tip = [bx, by];
    }
    under.push((k ? `<g class="${k.kind}" data-mark="${k.id}">` : "<g>") +
      `<line x1="${r(x1)}" y1="${r(y1)}" x2="${r(tip[0])}" ` +
      `y2="${r(tip[1])}" stroke="${colour}" stroke-width="${width}"` +
      (dash ? ` stroke-dasharray="${dash}"` : "") + `/>${head}</g>`);
  }

  // besideArrow returns spots beside an arrow, from its middle outwards.
  function besideArrow([x1, y1], [x2, y2], size, anchor) {
    const spots = [];
    for (const part of [.55, .4, .7, .25, .82]) {
      const px = x1 + part * (x2 - x1), py = y1 + part * (y2 - y1);
      if (anchor !== "end") spots.push([px + 9, py + size * .36]);
      spots.push([px - 9, py + size * .36, "end"]);
    }
    return spots;
  }

  // labels says what the arrows between two lanes carry, as far as the bars
  // do not say so already.
  function labels(a, b, list, spacing, colour, down) {
    const kind = list[0].kind;
    if (kind !== "message") return;
    const told = k => Boolean(barAt(b, k.end, p => p.shown &&
      p.k.label === k.label && Math.abs(p.t - k.end) < 2));
    const text = k => brief(k.label || "", 16) +
      (k.count > 1 ? `${k.count} messages` : "");
    if (kind === "message") list = list.filter(k => text(k) && !told(k));
    if (!list.length) return;
    const widest = Math.max(...list.map(k => widthOf(text(k), small, true)));
    const fill = kind === "message" ? theme.text : colour;
    if (list.length >= 10 && spacing < widest + 10) {
      if (list.every(k => barAt(a, k.t, p => p.k.label === k.label))) {
        return; // the bars say it
      }
      // A comb: every tenth is numbered, at the sender.
      const y = down ? lanes.rows[a].y - barHeight / 2 - 8
        : lanes.rows[a].y + barHeight / 2 + small + 2;
      const last = list[list.length - 1];
      for (const k of [last, ...list]) {
        const n = Number(k.label);
        if (k !== last && !(n % 10 === 0)) continue;
        label(text(k), small, fill, [[x(k.t), y, "middle"]]);
      }
      return;
    }
    for (const k of list) {
      const one = [x(k.t), touch(a, k.t, down)];
      const two = [x(k.end), touch(b, k.end, !down)];
      if (two[0] > edge + 1 && kind === "message") continue;
      label(text(k), small, fill, besideArrow(one, two, small));
    }
  }

  // What was lost: stubs that lead nowhere.
  const lost = new Map();
  for (const k of of("lost")) {
    if (!final || !shows(k.t, k.t2 || k.t)) continue;
    const a = rowOf(k.lane);
    if (a === undefined) continue;
    const key = [a, k.held ? "held" : k.to ? rowOf(k.to) : ""].join();
    const list = lost.get(key) || [];
    lost.set(key, list);
    const p = list[list.length - 1], previous = p && p[p.length - 1];
    const near = previous && x(k.t) - x(previous.t2 || previous.t) < 60;
    if (near || list.length >= 3) p.push(k);
    else list.push([k]);
  }
  for (const [key, groups] of lost) {
    const [a, to] = key.split(",");
    for (const g of groups) drawLost(Number(a), to, g);
  }

  function drawLost(a, to, list) {
    const row = lanes.rows[a];
    const count = list.reduce((n, k) => n + (k.count || 1), 0);
    const names = list.map(k => k.label).filter(Boolean).join(" ");
    const word = to === "held" ? "lost with it"
      : /^(event_not|publish|tuple)/.test(m.begin ? m.begin.pattern : "")
        ? "missed" : "lost";
    const texts = [`${count} ${word}: ${names}`, `${count} ${word}`];
    if (names.split(" ").length < count || names.length > 40 || count === 1 &&
      !names) texts.shift();
    const x1 = x(list[0].t), x2 = x(list[list.length - 1].t2 ||
      list[list.length - 1].t);
    if (to === "held") {
      for (const text of count === 1 && names ? [`${names} lost with it`,
        ...texts] : texts) {
        if (label(text, small, theme.bad, [
          [x1 + 22, row.y - barHeight / 2 - 8], [x1 - 22, row.y -
            barHeight / 2 - 8, "end"], [x1 + 22, row.y + barHeight / 2 + 20],
          [x1 - 34, row.y + barHeight / 2 + 20 + small, "end"],
          [x1, row.y + 48, "middle"], [x1, row.y - 32, "middle"],
          [right, row.y - barHeight / 2 - 8, "end"],
          [right, row.y + barHeight / 2 + 20 + small, "end"]])) return;
      }
      return;
    }
    const target = to === "" ? null : lanes.rows[Number(to)];
    const down = target ? target.y > row.y : a < lanes.rows.length - 1;
    const sign = down ? 1 : -1;
    const y1 = row.y + sign * 5;
    const y2 = row.y + sign * Math.max(24, Math.min(unit * .42, 120));
    let last = -Infinity;
    for (const k of list) {
      const at = x(k.t);
      if (at - last < 2.5) continue;
      last = at;
      under.push(`<path class="lost" data-mark="${k.id}" ` +
        `d="M${r(at)} ${r(y1)}V${r(y2)}" stroke="${theme.bad}" ` +
        `stroke-width="2.6" stroke-dasharray="5 4" fill="none"/>` +
        `<path d="M${r(at - 4)} ${r(y2 - 4)}l8 8m0 -8l-8 8" ` +
        `stroke="${theme.bad}" stroke-width="2.4" fill="none"/>`);
    }
    const middle = (x1 + x2) / 2; // and on the side where no arrows are
    const away = row.y - sign * (barHeight / 2 + 8) + (down ? 0 : small);
    later.unshift(() => texts.some(text => label(text, small + 2, theme.bad, [
      [middle, away, "middle"], [Math.max(left, x1 - 6), away],
      [x2 + 12, away], [x2 + 6, away, "end"],
      [middle, y2 + sign * 8 + (down ? small + 4 : 0), "middle"],
      [Math.max(left, x1 - 6), y2 + sign * 8 + (down ? small + 4 : 0)],
      [x2 + 10, y2], [x1 - 10, y2, "end"],
      [x2 + 6, y2 + sign * 8 + (down ? small + 4 : 0), "end"],
      [right, away, "end"]])));
  }

  // Points: a wait that was given up; what a broker has thrown away.
  for (const k of [...of("timeout"), ...of("dropped")]) {
    const i = rowOf(k.lane);
    if (i === undefined || !shows(k.t, k.t) || k.t >= endOf(m)) continue;
    const at = x(k.t), row = lanes.rows[i], colour = colourOf(i);
    if (k.kind === "timeout") {
      const s = Math.min(11, barHeight * .4);
      over.push(`<g class="timeout"><circle cx="${r(at)}" cy="${r(row.y)}" ` +
        `r="${r(s)}" fill="${theme.ground}" stroke="${colour}" ` +
        `stroke-width="3"/><path d="M${r(at)} ${r(row.y - s * .55)}` +
        `V${r(row.y)}H${r(at + s * .45)}" stroke="${colour}" ` +
        `stroke-width="2.4" fill="none"/></g>`);
      placer.block(at - s, row.y - s, 2 * s, 2 * s);
      const text = k.label || "no reply";
      later.push(() => label(text, small, colour, [
        [at, row.y - barHeight / 2 - 7, "middle"],
        [at, row.y + barHeight / 2 + small + 2, "middle"],
        [at + 8, row.y - barHeight / 2 - 7],
        [at - 8, row.y - barHeight / 2 - 7, "end"]]));
    } else {
      const y = row.y - 14;
      over.push(`<path class="dropped" d="M${r(at - 6)} ${r(y - 6)}l12 12` +
        `m0 -12l-12 12" stroke="${theme.bad}" stroke-width="4"/>`);
      const text = (k.count > 1 ? k.count + " " : k.label ? k.label + " " : "")
        + "thrown away";
      later.push(() => label(text, small, theme.bad, [[at + 10, y + 5],
        [at - 10, y + 5, "end"], [at, y - 10, "middle"]]));
    }
  }

  // Texts, the most important ones first.
  for (const say of [...crosses, ...states]) say();
  for (const kind of ["back", "again"]) {
    for (const [key, list] of pairs) {
      if (list[0].kind !== kind) continue;
      const [a, b] = key.split(",").map(Number);
      const down = lanes.rows[b].y > lanes.rows[a].y;
      for (const k of list.slice(0, 6)) { // more cannot be told apart
        const n = k.label || (k.count > 1 ? k.count : "");
        const text = /[a-z]/.test(n) ? n
          : `${n} ${kind === "back" ? "goes back" : "again"}`.trim();
        const one = [x(k.t), touch(a, k.t, down)];
        const two = [x(k.end), touch(b, k.end, !down)];
        if (two[0] > edge + 1) continue;
        const own = kind === "back" ? [[one[0] + 30, lanes.rows[a].y +
          small * .36]] : [];
        label(text, small, theme.again,
          own.concat(besideArrow(one, two, small)));
      }
    }
  }
  for (const row of lanes.rows) for (const say of row.names || []) say();
  const waited = new Set(); // each lane says once what it waits for
  for (const b of bars) {
    if (b.kind !== "wait") continue;
    const text = b.k.label && b.k.label.length < 30 && /\s/.test(b.k.label)
      ? b.k.label : "waits for a reply";
    const key = b.i + text.replace(/\d+/g, "");
    if (b.to - b.from > 60 && !waited.has(key)) {
      waited.add(key);
      label(text, Math.max(14, small - 3), b.colour,
        [[b.from + 18, b.y - 6]]);
    }
  }
  for (const row of lanes.rows) if (row.queue) row.numbers();
  for (const say of later) say();

  // Cuts, and the scale.
  let lastCut = -Infinity, lastText = "";
  for (const c of o.line.cuts) {
    const at = left + c.x - o.scroll;
    if (at < left + 8 || at > Math.min(edge, right)) continue;
    const text = seconds(c.length), width = widthOf(text, 15, true);
    if (text === lastText && at < lastCut + 60) { // of a row, the first
      lastCut = at + width / 2 + 8;
      continue;
    }
    lastText = text;
    under.push(`<path class="cut" d="M${r(at - 6)} ${r(bottom + 12)}l5 -12` +
      `m3 12l5 -12" stroke="${theme.quiet}" stroke-width="2" fill="none"/>`);
    if (at - width / 2 < lastCut) continue;
    if (label(text, 15, theme.quiet, [[at, bottom + 28, "middle"]])) {
      lastCut = at + width / 2 + 8;
    }
  }
  const tick = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4,
    6e4].find(t => t * o.line.scale > 50) || 6e4;
  const long = tick * o.line.scale;
  if (long < 400) {
    out.push(`<path class="scale" d="M18 ${r(bottom + 8)}v8h${r(long)}v-8" ` +
      `stroke="${theme.quiet}" stroke-width="2" fill="none"/>`);
    out.push(`<text x="${r(26 + long)}" y="${r(bottom + 17)}" ` +
      `font-size="15" font-weight="bold" fill="${theme.quiet}">` +
      `${seconds(tick)}</text>`);
  }
  if (o.live && !m.over && edge <= right) {
    over.push(`<line class="now" x1="${r(edge)}" x2="${r(edge)}" ` +
      `y1="${r(top - 8)}" y2="${r(bottom)}" stroke="${theme.strong}" ` +
      `stroke-width="3"/>`);
    label("now", 15, theme.strong, [[edge + 6, top + 4],
      [edge - 6, top + 4, "end"]]);
  }

  const clip = `<clipPath id="seen"><rect x="${r(left - 18)}" y="0" ` +
    `width="${r(right - left + 36)}" height="${r(o.h)}"/></clipPath>`;
  const hatch = `<pattern id="hatch" width="9" height="9" ` +
    `patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
    `<rect width="9" height="9" fill="${theme.ground}" fill-opacity=".55"/>` +
    `<rect width="3" height="9" fill="${theme.bad}"/></pattern>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ` +
    `viewBox="0 0 ${r(o.w)} ${r(o.h)}" font-family="${sans}">` +
    `<defs>${clip}${hatch}</defs>` +
    `<rect width="100%" height="100%" fill="${theme.ground}"/>` +
    `<g clip-path="url(#seen)">${under.join("")}${shapes.join("")}` +
    `${over.filter(s => !/^<(circle cx|text)/.test(s)).join("")}</g>` +
    `<g>${over.filter(s => /^<(circle cx|text)/.test(s)).join("")}</g>` +
    `<g paint-order="stroke" stroke="${theme.ground}" stroke-width="4" ` +
    `stroke-linejoin="round">${texts.join("")}${out.join("")}</g></svg>`;
}

// brief leaves out the end of a text that is too long.
function brief(text, most) {
  return text.length > most ? text.slice(0, most - 1).trim() + "…" : text;
}

const r = n => Math.round(n * 10) / 10;

function seconds(t) {
  if (t < 95) return `${Math.round(t)} ms`;
  return t < 9950 ? `${(t / 1000).toFixed(1)} s` : `${Math.round(t / 1000)} s`;
}

// thousands writes a number with a comma before every three digits.
const thousands = n => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

// idOf returns what tells a process from others of its role: its id, unless
// that is only the number that the system gave it.
function idOf(p) {
  const id = p.label.startsWith(p.role + " ")
    ? p.label.slice(p.role.length + 1) : "";
  return id === String(p.pid) ? "" : id;
}

// laneNote is what stands below the name of a lane.
function laneNote(m, row, now) {
  if (row.queue) {
    let last = null;
    for (const k of m.marks.values()) {
      if (k.kind === "depth" && m.laneOf.get(k.lane) === row.index &&
        k.t <= now && (!last || k.t >= last.t)) last = k;
    }
    if (!last) return "";
    return (last.unsure ? "waiting: at most " : "waiting: ") +
      (last.count || 0);
  }
  let lines = 0;
  for (const n of row.members) lines += m.counts[parseInt(n, 10)] || 0;
  return lines > 1 ? `${thousands(lines)} lines` : "";
}

// layOut gives each lane its row.
function layOut(m, o) {
  const top = 52, bottom = o.h - 34;
  let left = 110;
  const rows = m.lanes.map((lane, index) => {
    const queue = lane.role === "queue";
    return { index, queue, role: lane.role, members: lane.members,
      crowd: lane.crowd || 0, label: queue ? "queue" : brief(lane.label, 20),
      name: queue ? lane.label.replace(/^queue /, "") : "" };
  });
  const weight = row => row.queue ? 1.75 : 1;
  const total = rows.reduce((sum, row) => sum + weight(row), 0) || 1;
  const unit = Math.min((bottom - top) / total, 190);
  const most = o.w * .26;
  let y = top + ((bottom - top) - unit * total) / 2, colour = 0;
  for (const row of rows) {
    row.top = y;
    y += unit * weight(row);
    row.bottom = y;
    row.y = row.queue ? y - unit * .12 : (row.top + row.bottom) / 2;
    row.room = Math.min(130, unit * 1.25);
    row.colour = row.queue ? 0 : colour++;
    row.size = Math.max(14, Math.min(23, unit * .5));
    const width = widthOf(row.label, row.size, true);
    if (width + 32 > most) {
      row.size = Math.max(14, row.size * (most - 32) / width);
    }
    left = Math.max(left, widthOf(row.label, row.size, true) + 32,
      row.queue ? widthOf("waiting: 1000", 15, true) + 32 : 0,
      widthOf(row.name, 15, true) + 32);
  }
  return { rows, left: left + 10, right: o.w - 26, top, bottom, unit };
}

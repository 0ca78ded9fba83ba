// Charts and the live refresh. The pages are whole without it.
"use strict";

(() => {
  const live = () => document.getElementById("live");
  const updated = document.getElementById("updated");
  const pause = document.getElementById("pause");
  const trouble = document.getElementById("trouble");
  let paused = false;

  // ------------------------------------------------------------ refresh

  // Nothing may move under a reader who is in the middle of it.
  function busy() {
    const selection = document.getSelection();
    const marked = selection && !selection.isCollapsed && live().contains(selection.anchorNode);
    return paused || document.hidden || marked || live().querySelector(":focus-visible") !== null;
  }

  function say(text) {
    if (trouble.textContent !== text) trouble.textContent = text;
  }

  document.addEventListener("htmx:before:request", (event) => {
    if (busy()) event.preventDefault();
  });
  document.addEventListener("htmx:before:swap", (event) => {
    const whole = event.detail.ctx.text.includes('id="live"');
    if (!whole || busy()) event.preventDefault();
    if (!whole) say("The gateway does not answer as it should. Trying again every 5 seconds.");
  });
  document.addEventListener("htmx:after:swap", () => {
    say("");
    updated.textContent = `Updated ${live().dataset.updated} UTC`;
    draw();
  });
  document.addEventListener("htmx:error", () => {
    say("The gateway does not answer. Trying again every 5 seconds.");
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && pause) htmx.trigger(live(), "refresh");
  });
  if (pause) {
    pause.hidden = false;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.textContent = paused ? "Resume" : "Pause";
      if (!paused) htmx.trigger(live(), "refresh");
    });
  }

  // ------------------------------------------------------------ charts

  const DASHES = { solid: [], dash: [6, 4], dot: [2, 3] };
  const BORDERS = { solid: "solid", dash: "dashed", dot: "dotted" };
  const charts = new Map();

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  function duration(ms) {
    if (ms >= 10000) return `${(ms / 1000).toFixed(0)} s`;
    if (ms >= 1000) return `${Number((ms / 1000).toFixed(1))} s`;
    return `${Number(ms.toFixed(ms >= 10 ? 0 : 1))} ms`;
  }

  function dollars(amount) {
    if (amount === 0) return "$0";
    if (amount >= 1) return `$${amount.toLocaleString("en-US", { maximumFractionDigits: 2 })}`;
    return `$${Number(amount.toPrecision(2)).toFixed(12).replace(/0+$/, "")}`;
  }

  const UNITS = {
    ms: duration,
    usd: dollars,
    count: (value) => value.toLocaleString("en-US", { maximumFractionDigits: 0 }),
  };

  function options(data, width) {
    const unit = UNITS[data.unit];
    const shown = (_, value) => (value === null || value === undefined ? "–" : unit(value));
    const axis = {
      stroke: colour("quiet"),
      font: '12px system-ui, "DejaVu Sans", sans-serif',
      grid: { stroke: colour("line"), width: 1 },
      ticks: { show: false },
    };
    const hour = "{YYYY}-{MM}-{DD} {HH}:{mm}";
    return {
      width,
      height: 200,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
      hooks: { ready: [latest], setCursor: [latest], setData: [latest] },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      legend: { markers: { dash: (u, at) => BORDERS[data.series[at - 1]?.style ?? "solid"] } },
      scales: { x: { range: [data.since, data.until] }, y: data.unit === "ms" ? { distr: 3, range: decades } : { range: upward } },
      axes: [
        {
          ...axis,
          space: 70,
          values: [
            [86400, "{MMM} {D}", null, null, null, null, null, null, 1],
            [3600, "{HH}:{mm}", "\n{MMM} {D}", null, "\n{MMM} {D}", null, null, null, 1],
            [60, "{HH}:{mm}", "\n{MMM} {D}", null, "\n{MMM} {D}", null, null, null, 1],
            [1, "{HH}:{mm}:{ss}", "\n{MMM} {D}", null, "\n{MMM} {D}", null, null, null, 1],
          ],
        },
        {
          ...axis,
          size: 72,
          space: 36,
          ...(data.unit === "ms" && { space: 14, filter: tidy, grid: { ...axis.grid, filter: tidy } }),
          values: (u, splits) => splits.map((value) => (value === null ? null : unit(value))),
        },
      ],
      series: [
        { label: "UTC", value: (u, at) => (at == null ? "–" : uPlot.fmtDate(hour)(uPlot.tzDate(new Date(at * 1e3), "Etc/UTC"))) },
        ...data.series.map((series) => ({
          label: series.label,
          stroke: colour(series.colour),
          width: data.bars ? 0 : series.style === "solid" ? 2 : 1.5,
          dash: DASHES[series.style],
          fill: data.bars ? colour(series.colour) : undefined,
          paths: data.bars ? uPlot.paths.bars({ size: [0.8, 40], align: 1 }) : undefined,
          points: { show: !data.bars, filter: alone, size: 6, fill: colour(series.colour) },
          value: shown,
        })),
      ],
    };
  }

  function upward(plot, low, high) {
    return [0, high > 0 ? high * 1.1 : 1];
  }

  // Whole powers of ten around what there is; people wait for 50 ms and for 50 s in one picture.
  function decades(plot, low, high) {
    const floor = 10 ** Math.floor(Math.log10(low > 0 ? low : 1));
    return [floor, Math.max(10 ** Math.ceil(Math.log10(high > 0 ? high : 1)), floor * 10)];
  }

  // Of the nine lines in a power of ten one has a figure; where there is only one power, three.
  function tidy(plot, splits) {
    const { min, max } = plot.scales.y;
    const kept = max / min > 10.5 ? [1] : [1, 2, 5];
    return splits.map((value) => {
      const first = Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
      return kept.includes(first) ? value : null;
    });
  }

  // The figures below a chart are those under the pointer, else the latest.
  function latest(plot) {
    if (plot.cursor.idx != null) return;
    let at = plot.data[0].length - 1;
    while (at > 0 && plot.data.every((values, i) => i === 0 || values[at] == null)) at--;
    plot.setLegend({ idx: at });
  }

  // Points between two gaps, which no line would show.
  function alone(plot, at, show, gaps) {
    const values = plot.data[at];
    const found = [];
    for (let i = 0; i < values.length; i++) {
      if (values[i] != null && values[i - 1] == null && values[i + 1] == null) found.push(i);
    }
    return found;
  }

  function columns(data) {
    return [data.times, ...data.series.map((series) => series.values)];
  }

  function draw() {
    for (const host of document.querySelectorAll(".chart")) {
      const text = host.dataset.chart;
      const before = charts.get(host.id);
      if (before && before.host === host && before.text === text) continue;
      const data = JSON.parse(text);
      if (before && before.host === host && before.shape === shape(data)) {
        before.plot.setData(columns(data), false);
        before.plot.setScale("x", { min: data.since, max: data.until });
        before.text = text;
        continue;
      }
      if (before) before.plot.destroy();
      host.replaceChildren();
      const plot = new uPlot(options(data, host.clientWidth), columns(data), host);
      charts.set(host.id, { host, plot, text, shape: shape(data) });
    }
  }

  function shape(data) {
    return JSON.stringify([data.unit, data.series.map((series) => [series.label, series.style])]);
  }

  function again() {
    for (const { plot, host } of charts.values()) {
      plot.destroy();
      host.replaceChildren();
    }
    charts.clear();
    draw();
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  new ResizeObserver(() => {
    for (const { plot, host } of charts.values()) {
      if (host.clientWidth && host.clientWidth !== plot.width) {
        plot.setSize({ width: host.clientWidth, height: 200 });
      }
    }
  }).observe(document.getElementById("main"));
  draw();
})();

// Draws a run over its steps: what cores did with their time, and what links carried, span by span.
"use strict";
const drawTimeline = ({ data, timeline, card, chart, draw, element, si, escape, legend, holds, chips }) => {
  const spans = timeline.steps.length;
  const firsts = [];
  timeline.steps.reduce((first, steps) => { firsts.push(first); return first + steps; }, 0);
  const named = (span) => {
    const last = firsts[span] + timeline.steps[span] - 1;
    return timeline.steps[span] === 1 ? `step ${firsts[span]}` : `steps ${firsts[span].toLocaleString("en")} to ${last.toLocaleString("en")}`;
  };
  const steps = (first) => Number(first).toLocaleString("en");
  // What cycles go into; busy is the first three of them.
  const states = [["computing", "#0072b2"], ["sending", "#009e73"], ["stalled", "#d55e00"], ["waiting", "#e69f00"], ["idle", "#bbbbbb"]];
  const whole = (span) => timeline.cycles[span] - timeline.barrier_cycles[span];
  const spent = (time, state, span) => {
    if (state === "busy") return ["computing", "sending", "stalled"].reduce((all, state) => all + spent(time, state, span), 0);
    if (state === "idle") return whole(span) - ["busy", "waiting"].reduce((all, state) => all + spent(time, state, span), 0);
    return time[`${state}_cycles`][span];
  };
  const each = timeline.steps_per_span === 1 ? "Each step" : `Every ${timeline.steps_per_span.toLocaleString("en")} steps`;

  chart(card("Time over steps", `${each}: what the cores that hold blocks did with their cycles. Stalled cores have a flit that the network does not take; waiting ones are done before others are; idle ones have nothing to do in the step.`, true), (colours) => {
    const all = (span) => Math.max(1, timeline.cycles[span] * timeline.cores.length);
    const series = [
      ...states.map(([state, color]) => ({ name: state, color, of: (span) => timeline.cores.reduce((sum, core) => sum + spent(core, state, span), 0) })),
      { name: "barrier", color: "#777777", of: (span) => timeline.barrier_cycles[span] * timeline.cores.length },
    ];
    return {
      legend: legend(colours),
      grid: { left: 8, right: 34, top: 40, bottom: 26, containLabel: true },
      tooltip: { trigger: "axis", formatter: (lines) => `${named(lines[0].dataIndex)}<br>${si(timeline.cycles[lines[0].dataIndex] / timeline.steps[lines[0].dataIndex])} cycles a step<br>` + lines.map((line) => `${line.marker}${line.seriesName}: ${line.value.toFixed(1)} %`).join("<br>") },
      xAxis: { type: "category", name: "step", nameLocation: "middle", nameGap: 24, data: firsts, ...colours.axis, axisLabel: { color: colours.soft, formatter: steps } },
      yAxis: { type: "value", min: 0, max: 100, ...colours.axis, axisLabel: { color: colours.soft, formatter: "{value} %" } },
      series: series.map(({ name, color, of }) => ({ name, type: "bar", stack: "time", barCategoryGap: 0, color, data: firsts.map((_, span) => (100 * of(span)) / all(span)) })),
    };
  });

  // Core by core: a row a core, a column a span.
  const kinds = [["busy", "busy"], ["stalled", "stalled on send"], ["waiting", "waiting for others"], ["idle", "idle"]];
  const chooser = (id, what, list) => element("select", { id, ariaLabel: what }, ...list.map(([key, name]) => element("option", { value: key, textContent: name })));
  {
    const made = card("Time of each core over steps", `${each}: the share of the cycles that a core was what is chosen here.`, true);
    const choice = chooser("timeline-state", "what the colour means", kinds);
    made.append(element("div", { className: "row" }, choice));
    const rows = timeline.cores;
    const page = chart(made, (colours) => {
      const cells = rows.flatMap((core, row) => firsts.map((_, span) => [span, row, (100 * spent(core, choice.value, span)) / Math.max(1, timeline.cycles[span])]));
      const peak = Math.max(...cells.map((cell) => cell[2]), 1e-9);
      return {
        grid: { left: 8, right: 34, top: 8, bottom: 76, containLabel: true },
        tooltip: { formatter: (at) => `core ${rows[at.value[1]].core}: ${escape(holds(rows[at.value[1]].core))}<br>${named(at.value[0])}<br>${kinds.find(([key]) => key === choice.value)[1]}: ${at.value[2].toFixed(1)} %` },
        xAxis: { type: "category", name: "step", nameLocation: "middle", nameGap: 24, data: firsts, ...colours.axis, axisLabel: { color: colours.soft, formatter: steps }, splitLine: { show: false } },
        yAxis: { type: "category", inverse: true, data: rows.map((core) => `core ${core.core}`), ...colours.axis, splitLine: { show: false } },
        visualMap: { min: 0, max: peak, calculable: false, orient: "horizontal", left: "center", bottom: 0, itemWidth: 12, itemHeight: 120, text: [`${peak.toFixed(0)} %`, "0 %"], textStyle: { color: colours.soft }, inRange: { color: colours.shades } },
        series: [{ type: "heatmap", data: cells, progressive: 0, emphasis: { itemStyle: { borderColor: colours.text, borderWidth: 1 } } }],
      };
    }, rows.length > 12);
    choice.addEventListener("change", () => draw(page));
  }

  // The mesh in a span that a slider chooses.
  {
    const made = card("The mesh over steps", "The slider chooses the steps. A field is a tile: the share of its cores' cycles that is chosen here. Lines are links, as thick as they are used; both scales are those of the whole run." + chips.note);
    const choice = chooser("span-state", "what the colour means", kinds);
    const slider = element("input", { id: "span", type: "range", min: 0, max: spans - 1, step: 1, value: 0, ariaLabel: "which steps" });
    const told = element("output", { id: "span-told" });
    made.append(element("div", { className: "row" }, choice, slider, told));
    const tiles = new Map();
    for (const core of timeline.cores) (tiles.get(String(core.tile)) ?? tiles.set(String(core.tile), []).get(String(core.tile))).push(core);
    const used = (link, span) => (100 * link.flits[span] * link.cycles_per_flit) / Math.max(1, whole(span));
    const most = Math.max(1e-9, ...timeline.links.map((link) => Math.max(...firsts.map((_, span) => used(link, span)))));
    const of = (cores, state, span) => (100 * cores.reduce((sum, core) => sum + spent(core, state, span), 0)) / Math.max(1, timeline.cycles[span] * cores.length);
    const hottest = (state) => Math.max(1e-9, ...[...tiles.values()].map((cores) => Math.max(...firsts.map((_, span) => of(cores, state, span)))));
    const page = chart(made, (colours) => {
      const span = Number(slider.value), state = choice.value;
      const flits = timeline.links.reduce((sum, link) => sum + link.flits[span], 0);
      told.textContent = `${named(span)}: ${si(timeline.cycles[span])} cycles, ${si(flits)} flits over links`;
      Object.assign(told.dataset, { first: firsts[span], cycles: timeline.cycles[span], flits, busy: timeline.cores.reduce((sum, core) => sum + spent(core, "busy", span), 0) });
      const list = [...tiles.values()].map((cores) => ({ cores, value: [...cores[0].tile, of(cores, state, span)] }));
      const peak = hottest(state);
      const drawn = timeline.links.filter((link) => link.flits[span] > 0);
      return {
        grid: { left: 8, right: 8, top: 8, bottom: 60, containLabel: true },
        tooltip: { formatter: (at) => (at.seriesType === "lines" ? `${escape(at.data.name)}: ${si(at.data.flits)} flits, ${at.data.used.toFixed(1)} % of the cycles` : `${list[at.dataIndex].cores.map((core) => `core ${core.core}: ${escape(holds(core.core))}`).join("<br>")}<br>${kinds.find(([key]) => key === state)[1]}: ${at.value[2].toFixed(1)} %`) },
        xAxis: { type: "category", data: [...Array(data.mesh[0]).keys()], ...colours.axis, splitLine: { show: false } },
        yAxis: { type: "category", inverse: true, data: [...Array(data.mesh[1]).keys()], ...colours.axis, splitLine: { show: false } },
        visualMap: { min: 0, max: peak, seriesIndex: 0, calculable: false, orient: "horizontal", left: "center", bottom: 0, itemWidth: 12, itemHeight: 120, text: [`${peak.toFixed(0)} %`, "0 %"], textStyle: { color: colours.soft }, inRange: { color: colours.shades } },
        series: [
          { type: "heatmap", data: list.map((tile) => tile.value), itemStyle: { borderColor: colours.ground, borderWidth: data.mesh[0] > 8 ? 2 : 6 } },
          { type: "lines", coordinateSystem: "cartesian2d", z: 3, symbol: ["none", "arrow"], symbolSize: data.mesh[0] > 8 ? 3 : 6, lineStyle: { color: "#d55e00", opacity: 0.85, curveness: 0.12 }, data: drawn.map((link) => ({ coords: [link.from, link.to], name: link.name, flits: link.flits[span], used: used(link, span), lineStyle: { width: 0.5 + (6 * used(link, span)) / most } })) },
          chips.edges(colours),
        ],
      };
    });
    const said = Number(new URLSearchParams(location.hash.slice(1)).get("span"));
    if (said >= 0 && said < spans) slider.value = said;
    slider.addEventListener("input", () => draw(page));
    choice.addEventListener("change", () => draw(page));
  }
};

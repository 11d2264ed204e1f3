// Draws a report from the results of a run, which lie in the page as JSON with the keys that `--json` has.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { results, programs, source } = data;
  const profile = results.profile;
  // Okabe and Ito's colours, which people with any colour vision tell apart, and behind them Tol's muted ones.
  const palette = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999", "#f0e442", "#332288", "#117733", "#882255", "#44aa99", "#999933", "#aa4499"];
  const pages = [];
  const cards = document.getElementById("cards");

  const words = (key) => key.replaceAll("_", " ");
  const prefixes = [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]];
  const si = (value, unit = "") => {
    if (value === null || value === undefined) return "–";
    if (value === 0) return `0${unit && " " + unit}`;
    const [size, prefix] = prefixes.find(([size]) => Math.abs(value) >= size) ?? prefixes[prefixes.length - 1];
    const scaled = value / size;
    const digits = Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2;
    const text = Number.isInteger(value) && Math.abs(value) < 1000 ? String(value) : scaled.toFixed(digits);
    return `${text}${prefix || unit ? " " : ""}${prefix}${unit}`;
  };
  const share = (part, whole) => (whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : "–");
  const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
  const sum = (numbers) => numbers.reduce((all, number) => all + number, 0);
  const busy = (part) => (part.computing_cycles ?? 0) + (part.sending_cycles ?? 0) + (part.stalled_cycles ?? 0);
  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  // A card with a heading and a sentence; `wide` over both columns.
  const card = (title, note, wide = false) => {
    const made = element("section", { className: wide ? "card wide" : "card" }, element("h2", { textContent: title }));
    if (note) made.append(element("p", { className: "note", textContent: note }));
    cards.append(made);
    return made;
  };
  // A chart in a card; `option` makes what is drawn, anew where colours change.
  const chart = (parent, option, tall = false) => {
    const place = element("div", { className: tall ? "chart tall" : "chart" });
    parent.append(place);
    const page = { place, option, chart: null };
    pages.push(page);
    return page;
  };
  const draw = (page) => {
    const style = getComputedStyle(document.documentElement);
    const text = style.getPropertyValue("--text").trim();
    const soft = style.getPropertyValue("--soft").trim();
    const line = style.getPropertyValue("--line").trim();
    const ground = style.getPropertyValue("--card").trim();
    page.chart?.dispose();
    page.chart = echarts.init(page.place, null, { renderer: "canvas" });
    const axis = { axisLine: { lineStyle: { color: line } }, axisLabel: { color: soft }, splitLine: { lineStyle: { color: line } }, nameTextStyle: { color: soft } };
    // From nothing to much: away from the ground, which is light or dark.
    const shades = document.documentElement.dataset.theme === "dark" ? ["#242a31", "#08519c", "#4292c6", "#deebf7"] : ["#f7fbff", "#9ecae1", "#3182bd", "#08306b"];
    const option = page.option({ text, soft, line, ground, axis, shades });
    const tooltip = { backgroundColor: ground, borderColor: line, textStyle: { color: text }, confine: true };
    page.chart.setOption({ color: palette, animation: false, textStyle: { color: text, fontFamily: "system-ui, sans-serif" }, ...option, tooltip: { ...tooltip, ...option.tooltip } });
  };

  // What ran, in a line and in tiles. Each tile keeps its key and figure for whoever checks the page.
  document.getElementById("title").textContent = results.network ?? "Report";
  document.getElementById("what").textContent = [
    `onward ${results.command}`, results.source, `chip ${results.chip}`, results.data, `seed ${results.seed}`, `onward ${results.onward_version}`,
  ].filter(Boolean).join(" · ");
  const tile = (key, value, text, what) => {
    if (value === null || value === undefined) return;
    const made = element("div", { className: "tile" }, element("b", { textContent: text }), element("span", { textContent: what }));
    made.dataset.key = key;
    made.dataset.value = value;
    document.getElementById("tiles").append(made);
  };
  const learned = results.per_training_sample, tested = results.per_test_sample;
  tile("accuracy_percent", results.accuracy_percent, `${results.accuracy_percent?.toFixed(2)} %`, `of ${si(results.tested)} ${results.tested_on ?? "test"} samples right`);
  tile("energy_j", results.energy_j, si(results.energy_j, "J"), "energy of the run");
  tile("per_training_sample.energy_j", learned?.energy_j, si(learned?.energy_j, "J"), "a training sample");
  tile("per_training_sample.emulated_s", learned?.emulated_s, si(learned?.emulated_s, "s"), "a training sample takes");
  tile("per_test_sample.energy_j", tested?.energy_j, si(tested?.energy_j, "J"), "an answer");
  tile("per_test_sample.emulated_s", tested?.emulated_s, si(tested?.emulated_s, "s"), "an answer takes");
  tile("cycles", results.cycles, si(results.cycles), `cycles in ${si(results.steps)} steps`);
  tile("power_w", results.power_w, si(results.power_w, "W"), "on average");
  tile("synaptic_events", results.synaptic_events, si(results.synaptic_events), "synaptic events");
  tile("spikes", results.spikes, si(results.spikes), "spikes");
  tile("cores_used", results.cores_used, `${results.cores_used} of ${results.cores}`, "cores hold blocks");
  tile("area_mm2", results.area_mm2, `${results.area_mm2?.toFixed(1)} mm²`, `${si(results.clock_hz, "Hz")}, ${results.supply_v} V`);

  // Where one chip of an array ends and the next begins, on a mesh that is drawn.
  const chips = (() => {
    const [across, down] = ["width", "height"].map((side) => Number(results.chip_parameters?.[`mesh.array.${side}`] ?? 1));
    const [width, height] = data.mesh ?? [0, 0];
    const between = (count, extent, line) => [...Array(Math.max(0, count - 1)).keys()].map((at) => line(((at + 1) * extent) / count - 0.5));
    const lines = [
      ...between(across, width, (x) => [x, -0.5, x, height - 0.5]),
      ...between(down, height, (y) => [-0.5, y, width - 0.5, y]),
    ];
    const edges = (colours) => ({
      type: "custom", silent: true, z: 2, tooltip: { show: false }, data: lines.map(() => [0, 0]),
      renderItem: (at, api) => {
        const [[left, top], [right, bottom]] = [api.coord([0, 0]), api.size([1, 1])];
        const [x1, y1, x2, y2] = lines[at.dataIndex].map((place, side) => (side % 2 ? top + place * bottom : left + place * right));
        return { type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: colours.text, lineWidth: 1.5, lineDash: [6, 4] } };
      },
    });
    return { edges, note: lines.length ? " Dashed lines are where one chip ends and the next begins." : "" };
  })();

  // Energy: by layer and what it went into.
  const energies = (part) => Object.entries(part.energy_by_category_j ?? {}).filter(([, joules]) => joules > 0);
  const legend = (colours) => ({ type: "scroll", top: 0, textStyle: { color: colours.text }, pageTextStyle: { color: colours.soft } });
  if (profile) {
    const whole = profile.total.energy_j;
    chart(card("Where the energy goes", "From layers, left, to what it is spent on, right. The width of a band is energy.", true), (colours) => {
      const links = profile.layers.flatMap((layer) => energies(layer).map(([category, value]) => ({ source: layer.name, target: `${words(category)} `, value })));
      const names = [...new Set(links.flatMap((link) => [link.source, link.target]))];
      return {
        tooltip: { formatter: (at) => (at.dataType === "edge" ? `${escape(at.data.source)} → ${escape(at.data.target)}<br>${si(at.value, "J")}, ${share(at.value, whole)}` : `${escape(at.name)}<br>${si(at.value, "J")}, ${share(at.value, whole)}`) },
        series: [{ type: "sankey", left: 10, right: 130, top: 10, bottom: 10, nodeGap: 14, emphasis: { focus: "adjacency" }, data: names.map((name) => ({ name })), links, label: { color: colours.text }, lineStyle: { color: "gradient", opacity: 0.45 } }],
      };
    }, true);
    const stacked = (all, colours) => {
      // The largest first, so that it is in the part of the legend that is seen; what is too little to be seen is left to the table.
      const sum = all.reduce((sum, part) => sum + part.energy_j, 0);
      const spent = (category) => all.some((part) => part.energy_by_category_j?.[category] > 0);
      // A category has the same colour in all of them.
      const categories = energies(profile.total).sort((a, b) => b[1] - a[1]).map(([category], at) => [category, palette[at % palette.length]]).filter(([category]) => spent(category));
      const parts = all.filter((part) => part.energy_j >= 0.0005 * sum);
      return {
        legend: legend(colours),
        grid: { left: 8, right: 34, top: 40, bottom: 8, containLabel: true },
        tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, formatter: (all) => `${escape(all[0].name)}<br>` + all.filter((one) => one.value > 0).sort((a, b) => b.value - a.value).map((one) => `${one.marker}${one.seriesName}: ${si(one.value, "J")}`).join("<br>") },
        xAxis: { type: "value", ...colours.axis, axisLabel: { color: colours.soft, formatter: (value) => si(value, "J"), hideOverlap: true } },
        yAxis: { type: "category", inverse: true, data: parts.map((part) => part.name), ...colours.axis, axisLabel: { color: colours.text, width: 120, overflow: "break", lineHeight: 13, fontSize: 11 } },
        series: categories.map(([category, color]) => ({ name: words(category), type: "bar", stack: "energy", barMaxWidth: 46, color, data: parts.map((part) => part.energy_by_category_j?.[category] ?? 0) })),
      };
    };
    chart(card("Energy by phase", "What the network was shown while it was spent."), (colours) => stacked(profile.phases, colours));
    const update = (profile.purposes ?? []).filter((part) => part.purpose).map((part) => ({ ...part, name: part.purpose })).sort((a, b) => b.energy_j - a.energy_j);
    if (update.length) {
      chart(card("Energy of updates", "Writing what was learned, by what instructions are for: paths, the gate, weights, homeostasis."), (colours) => stacked(update, colours));
    }
    chart(card("Energy by layer", "Host, the chip without its cores, and cores that hold nothing are listed with the layers."), (colours) => stacked(profile.layers, colours));

    if (profile.bounds.length) {
      const made = card("What bounds the run", `Cycles along the core that was done last in each step. To relieve the first: ${profile.bounds[0].relief ?? "nothing is known"}.`);
      chart(made, (colours) => ({
        grid: { left: 8, right: 60, top: 8, bottom: 8, containLabel: true },
        tooltip: { formatter: (at) => `${escape(at.name)}: ${si(at.value)} cycles, ${share(at.value, profile.cycles)}${profile.bounds[at.dataIndex].relief ? "<br>to relieve it: " + escape(profile.bounds[at.dataIndex].relief) : ""}`, extraCssText: "max-width: 300px; white-space: normal" },
        xAxis: { type: "value", ...colours.axis, axisLabel: { color: colours.soft, formatter: (value) => si(value), hideOverlap: true } },
        yAxis: { type: "category", inverse: true, data: profile.bounds.map((bound) => words(bound.by)), ...colours.axis, axisLabel: { color: colours.text } },
        series: [{ type: "bar", data: profile.bounds.map((bound) => bound.cycles), label: { show: true, position: "right", color: colours.soft, formatter: (at) => share(at.value, profile.cycles) } }],
      }));
    }
    if (profile.roofline) {
      const roof = profile.roofline;
      chart(card("Roofline of a core", `Elements a cycle against elements for each that memory gives. ${roof.lanes} lanes are the roof; the fullest link of the mesh is used ${roof.fullest_link_percent?.toFixed(1) ?? "–"} % of the time.`), (colours) => {
        const at = roof.elements_per_access ?? 1;
        const ends = [0.1, 1, Math.max(10, 4 * at)];
        const points = [["while it computes", roof.elements_per_computing_cycle], ["over the whole run", roof.elements_per_cycle]].filter(([, y]) => y > 0);
        return {
          legend: legend(colours),
          grid: { left: 8, right: 24, top: 40, bottom: 26, containLabel: true },
          tooltip: { formatter: (one) => (one.seriesType === "scatter" ? `${one.seriesName}: ${one.value[1].toFixed(2)} elements a cycle` : "") },
          xAxis: { type: "log", name: "elements an access", nameLocation: "middle", nameGap: 24, ...colours.axis },
          yAxis: { type: "log", min: 0.1, ...colours.axis },
          series: [
            { name: "roof", type: "line", symbol: "none", lineStyle: { width: 2 }, data: ends.map((x) => [x, Math.min(roof.lanes, x * roof.lanes)]) },
            ...points.map(([name, y]) => ({ name, type: "scatter", symbolSize: 13, data: [[at, y]] })),
          ],
        };
      });
    }

    // Cycles, from layers over handlers to instructions.
    chart(card("Busy cycles by layer, handler and instruction", "Click to look into a layer or a handler, and on the line below it to come back.", true), (colours) => {
      const layers = new Map();
      for (const line of profile.lines.filter((line) => busy(line) > 0)) {
        const layer = line.layer ?? "in no layer", handler = line.handler ?? "in no handler";
        const handlers = layers.get(layer) ?? layers.set(layer, new Map()).get(layer);
        const lines = handlers.get(handler) ?? handlers.set(handler, []).get(handler);
        lines.push({ name: line.text ?? line.name, value: busy(line) });
      }
      const tree = [...layers].map(([name, handlers]) => ({ name, children: [...handlers].map(([name, children]) => ({ name, children })) }));
      const all = sum(profile.lines.map(busy));
      return {
        tooltip: { formatter: (at) => `${at.treePathInfo.slice(1).map((one) => escape(one.name)).join(" › ")}<br>${si(at.value)} cycles, ${share(at.value, all)}` },
        series: [{
          type: "treemap", name: "all", left: 0, right: 0, top: 0, bottom: 40, roam: false, leafDepth: 2, data: tree, label: { fontSize: 12 }, upperLabel: { show: true, height: 20, color: colours.text },
          breadcrumb: { itemStyle: { color: colours.ground, borderColor: colours.line, textStyle: { color: colours.text } } },
          levels: [{ itemStyle: { gapWidth: 3, borderColor: colours.ground } }, { itemStyle: { gapWidth: 1, borderWidth: 2, borderColor: colours.line } }, { colorSaturation: [0.35, 0.6] }],
        }],
      };
    }, true);

    // The mesh: cores as fields, links as lines between them, dashed lines between chips of an array.
    const tiles = profile.cores.filter((core) => core.tile);
    if (tiles.length) {
      const made = card("The mesh", `A field is a tile; its colour is what is chosen here, added up over its cores. Lines are links, as thick as they are used.${chips.note}`);
      const measures = [["energy_j", "energy", "J"], ["busy", "busy cycles", ""], ["synaptic_events", "synaptic events", ""], ["spikes", "spikes", ""], ["waiting_cycles", "cycles of waiting", ""], ["stalled_cycles", "cycles stalled on send", ""]];
      const choice = element("select", { id: "mesh-measure", ariaLabel: "what the colour means" }, ...measures.map(([key, name]) => element("option", { value: key, textContent: name })));
      made.append(element("div", { className: "row" }, choice));
      const page = chart(made, (colours) => {
        const [key, name, unit] = measures.find(([key]) => key === choice.value);
        const of = (core) => (key === "busy" ? busy(core) : (core[key] ?? 0));
        const fields = new Map();
        for (const core of tiles) {
          const field = fields.get(String(core.tile)) ?? fields.set(String(core.tile), { tile: core.tile, value: 0, holds: [] }).get(String(core.tile));
          field.value += of(core);
          field.holds.push(`${core.name}: ${core.holds.join(", ") || "empty"}`);
        }
        const width = data.mesh[0], height = data.mesh[1];
        const list = [...fields.values()];
        const used = profile.links.filter((link) => link.from && link.to);
        const most = Math.max(...used.map((link) => link.used_percent ?? link.flits), 1e-9);
        return {
          grid: { left: 8, right: 8, top: 8, bottom: 60, containLabel: true },
          tooltip: { formatter: (at) => (at.seriesType === "lines" ? `${escape(at.data.name)}: ${si(at.data.flits)} flits` : `${list[at.dataIndex].holds.map(escape).join("<br>")}<br>${name}: ${si(at.value[2], unit)}`) },
          xAxis: { type: "category", data: [...Array(width).keys()], ...colours.axis, splitLine: { show: false } },
          yAxis: { type: "category", inverse: true, data: [...Array(height).keys()], ...colours.axis, splitLine: { show: false } },
          visualMap: { min: 0, max: Math.max(...list.map((field) => field.value), 1e-30), seriesIndex: 0, calculable: false, orient: "horizontal", left: "center", bottom: 0, text: [si(Math.max(...list.map((field) => field.value)), unit), `${name}: 0`], textStyle: { color: colours.soft }, inRange: { color: colours.shades } },
          series: [
            { type: "heatmap", data: list.map((field) => [...field.tile, field.value]), itemStyle: { borderColor: colours.ground, borderWidth: 6 } },
            { type: "lines", coordinateSystem: "cartesian2d", z: 3, symbol: ["none", "arrow"], symbolSize: 6, lineStyle: { color: "#d55e00", opacity: 0.85, curveness: 0.12 }, data: used.map((link) => ({ coords: [link.from, link.to], name: link.name, flits: link.flits, lineStyle: { width: 0.7 + (6 * (link.used_percent ?? link.flits)) / most } })) },
            chips.edges(colours),
          ],
        };
      });
      choice.addEventListener("change", () => draw(page));
    }
  }

  if (results.timeline) {
    const holds = (core) => profile?.cores.find((part) => part.core === core)?.holds.join(", ") ?? "";
    drawTimeline({ data, timeline: results.timeline, card, chart, draw, element, si, escape, legend, holds, chips });
  }

  if (results.epochs?.length > 1) {
    chart(card("Learning curve", "Accuracy, or error, after each epoch."), (colours) => {
      const error = results.epochs[0].accuracy_percent === null;
      return {
        grid: { left: 8, right: 16, top: 16, bottom: 26, containLabel: true },
        tooltip: { trigger: "axis", formatter: (all) => `epoch ${all[0].name}: ${all[0].value?.toFixed(2)} ${error ? "" : "%"}` },
        xAxis: { type: "category", name: "epoch", nameLocation: "middle", nameGap: 24, data: results.epochs.map((epoch) => epoch.epoch), ...colours.axis },
        yAxis: { type: "value", scale: true, ...colours.axis },
        series: [{ type: "line", symbolSize: 6, data: results.epochs.map((epoch) => (error ? epoch.nrmse : epoch.accuracy_percent)) }],
      };
    });
  }
  if (results.core_usage_percent) {
    chart(card("Memory of the cores", "How full the fullest core is, and the mean of those that hold blocks."), (colours) => {
      const names = Object.keys(results.core_usage_percent);
      return {
        legend: legend(colours),
        grid: { left: 8, right: 40, top: 40, bottom: 8, containLabel: true },
        tooltip: { formatter: (at) => `${at.seriesName}, ${at.name}: ${at.value.toFixed(1)} %` },
        xAxis: { type: "value", max: 100, ...colours.axis, axisLabel: { color: colours.soft, formatter: "{value} %" } },
        yAxis: { type: "category", inverse: true, data: names.map((name) => words(name).replace(" memory", "")), ...colours.axis, axisLabel: { color: colours.text } },
        series: [["fullest core", "max"], ["mean", "mean"]].map(([name, key]) => ({ name, type: "bar", data: names.map((memory) => results.core_usage_percent[memory][key]) })),
      };
    });
  }
  if (profile?.neurons?.length) {
    chart(card("How often neurons fire", "All neurons of each layer, from the one that fires most to the one that fires least."), (colours) => ({
      legend: legend(colours),
      grid: { left: 8, right: 16, top: 40, bottom: 26, containLabel: true },
      tooltip: { trigger: "axis", formatter: (all) => all.map((one) => `${one.marker}${escape(one.seriesName)}[${one.value[2]}]: ${si(one.value[1])} spikes`).join("<br>") },
      xAxis: { type: "value", name: "neurons, by spikes", nameLocation: "middle", nameGap: 24, ...colours.axis },
      yAxis: { type: "value", ...colours.axis, axisLabel: { color: colours.soft, formatter: (value) => si(value) } },
      series: profile.neurons.map((layer) => ({ name: layer.layer, type: "line", symbol: "none", data: layer.spikes.map((spikes, neuron) => [spikes, neuron]).sort((a, b) => b[0] - a[0]).map(([spikes, neuron], at) => [at, spikes, neuron]) })),
    }));
  }
  if (results.confusion?.length && results.confusion.length <= 40) {
    chart(card("Confusion", "Rows are what samples are, columns what they were answered with; right answers are left out of the colour."), (colours) => {
      const rows = results.confusion, classes = rows.map((_, at) => at);
      const cells = rows.flatMap((row, y) => row.map((count, x) => [x, y, count]));
      return {
        grid: { left: 8, right: 8, top: 8, bottom: 8, containLabel: true },
        tooltip: { formatter: (at) => `${at.value[2]} of class ${at.value[1]} were answered with ${at.value[0]}` },
        xAxis: { type: "category", data: classes, position: "top", ...colours.axis },
        yAxis: { type: "category", data: classes, inverse: true, ...colours.axis },
        visualMap: { show: false, min: 0, max: Math.max(1, ...cells.filter(([x, y]) => x !== y).map((cell) => cell[2])), inRange: { color: [colours.ground, "#d55e00"] }, seriesIndex: 0 },
        series: [{ type: "heatmap", data: cells.map((cell) => (cell[0] === cell[1] ? { value: cell, itemStyle: { color: "#009e73" } } : cell)), label: { show: rows.length <= 12, color: colours.text, formatter: (at) => at.value[2] || "" } }],
      };
    });
  }
  const cut = (shown, recorded, what) => (recorded > shown ? ` The first ${si(shown)} of ${si(recorded)} ${what} are drawn.` : "");
  for (const { name, steps, neurons, windows, recorded } of data.recorded.rasters) {
    chart(card(name, `A dot is a spike of a neuron, by number, in a step; lines are where windows begin.${cut(steps.length, recorded, "spikes")}`, true), (colours) => ({
      grid: { left: 8, right: 16, top: 16, bottom: 70, containLabel: true },
      tooltip: { formatter: (at) => `neuron ${at.value[1]}, step ${at.value[0]}` },
      dataZoom: [{ type: "slider", bottom: 8, startValue: steps[0] ?? 0, endValue: (steps[0] ?? 0) + 200, textStyle: { color: colours.soft } }, { type: "inside" }],
      xAxis: { type: "value", name: "step", nameLocation: "middle", nameGap: 24, min: "dataMin", max: "dataMax", ...colours.axis, splitLine: { show: false } },
      yAxis: { type: "value", max: "dataMax", ...colours.axis },
      series: [{ type: "scatter", symbolSize: 3, data: steps.map((step, at) => [step, neurons[at]]), markLine: { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: colours.line, type: "solid" }, data: windows.slice(0, 500).map((xAxis) => ({ xAxis })) } }],
    }));
  }
  for (const { name, steps, values, recorded } of data.recorded.traces) {
    const first = Number(/\[(\d+)/.exec(name)?.[1] ?? 0);
    chart(card(name, `As integers of the chip, after each step.${cut(values.length, recorded, "numbers")}`, true), (colours) => ({
      legend: legend(colours),
      grid: { left: 8, right: 16, top: 40, bottom: 60, containLabel: true },
      tooltip: { trigger: "axis" },
      dataZoom: [{ type: "slider", bottom: 8, startValue: 0, endValue: 200, textStyle: { color: colours.soft } }, { type: "inside" }],
      xAxis: { type: "category", data: steps, ...colours.axis },
      yAxis: { type: "value", scale: true, ...colours.axis },
      series: values.map((data, at) => ({ name: `neuron ${first + at}`, type: "line", symbol: "none", lineStyle: { width: 1.3 }, data })),
    }));
  }

  // Hotspots: the network's text and the programs, with what each line took.
  const listing = (lines, shares, whole) => {
    const made = element("pre", { className: "code scroll" });
    const most = Math.max(...shares.values(), 1e-30);
    lines.forEach((text, at) => {
      const part = shares.get(at + 1) ?? 0;
      const line = element("div", {}, element("span", { className: "number", textContent: at + 1 }), element("span", { className: "share", textContent: part > 0 ? share(part, whole) : "" }), element("span", { textContent: text }));
      if (part > 0) line.style.background = `rgba(var(--heat), ${(0.08 + (0.5 * part) / most).toFixed(3)})`;
      if (part === most) made.hottest = line;
      made.append(line);
    });
    return made;
  };
  if (profile && (source || programs.length)) {
    const made = card("Hotspots", "The network's text, with the energy of each layer at its line; beside it the program of the layer that is chosen, with the energy of each line.", true);
    const whole = profile.total.energy_j;
    const choice = element("select", { id: "program", ariaLabel: "the program that is shown" }, ...programs.map((program, at) => element("option", { value: at, textContent: `program of ${program.name}` })));
    made.append(element("div", { className: "row" }, choice));
    const beside = element("div", { className: "beside" });
    made.append(beside);
    const show = () => {
      const shares = new Map(profile.layers.filter((layer) => layer.source_line).map((layer) => [layer.source_line, layer.energy_j]));
      const of = new Map();
      for (const line of profile.lines.filter((line) => line.program === Number(choice.value) && line.line)) {
        of.set(line.line, (of.get(line.line) ?? 0) + line.energy_j);
      }
      beside.replaceChildren(...(source ? [listing(source.split("\n"), shares, whole)] : []), ...(programs.length ? [listing(programs[choice.value].text.split("\n"), of, whole)] : []));
      // Where most is spent is what is looked for.
      for (const one of beside.children) one.scrollTop = one.hottest ? one.hottest.offsetTop - one.offsetTop - one.clientHeight / 3 : 0;
    };
    const hottest = profile.lines.filter((line) => line.program !== null && line.line).sort((a, b) => b.energy_j - a.energy_j)[0];
    if (hottest) choice.value = hottest.program;
    choice.addEventListener("change", show);
    show();
  }

  // All parts as tables, to be sorted and filtered.
  if (profile) {
    const made = card("All parts", "Click a heading to sort by it. The filter takes any part of a name.", true);
    const lists = ["layers", "phases", "purposes", "cores", "blocks", "handlers", "lines", "links"].filter((list) => profile[list]?.length);
    const list = element("select", { id: "list", ariaLabel: "which parts" }, ...lists.map((name) => element("option", { value: name, textContent: name })));
    const filter = element("input", { id: "filter", type: "search", placeholder: "filter" });
    const save = element("a", { textContent: "save as CSV", href: "#", id: "csv" });
    const place = element("div", { className: "scroll" });
    made.append(element("div", { className: "row" }, list, filter, save), place);
    let order = null, falling = true;
    const columns = () => {
      const numbers = new Set();
      for (const part of profile[list.value]) for (const [key, value] of Object.entries(part)) if (typeof value === "number" && !["program", "address", "line", "core", "block", "source_line"].includes(key)) numbers.add(key);
      return ["name", ...[...numbers].sort((a, b) => (b === "energy_j") - (a === "energy_j"))];
    };
    const rows = () => {
      const wanted = filter.value.toLowerCase();
      const of = profile[list.value].filter((part) => [part.name, part.layer, part.handler, part.purpose].some((name) => name?.toLowerCase().includes(wanted)));
      const key = order ?? (columns().includes("energy_j") ? "energy_j" : columns()[1]);
      const by = (part) => part[key] ?? (key === "name" ? "" : 0);
      return [...of].sort((a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0) * (falling && key !== "name" ? -1 : 1));
    };
    const fill = () => {
      const keys = columns();
      const head = element("tr", {}, ...keys.map((key) => {
        const cell = element("th", { textContent: key === "name" ? "name" : words(key.replace(/_j$/, "")) });
        cell.addEventListener("click", () => { falling = order === key ? !falling : true; order = key; fill(); });
        return cell;
      }));
      const shown = rows().slice(0, 500);
      const body = shown.map((part) => element("tr", {}, ...keys.map((key) => element("td", { textContent: key === "name" ? [part.layer, part.name].filter(Boolean).join(": ") : si(part[key] ?? 0, key.endsWith("_j") ? "J" : "") }))));
      const table = element("table", { id: "parts" }, element("thead", {}, head), element("tbody", {}, ...body));
      table.dataset.rows = shown.length;
      place.replaceChildren(table);
    };
    save.addEventListener("click", () => {
      const keys = columns();
      const quote = (value) => (typeof value === "string" ? `"${value.replaceAll('"', '""')}"` : (value ?? ""));
      const text = [keys.join(","), ...rows().map((part) => keys.map((key) => quote(part[key])).join(","))].join("\n");
      save.href = "data:text/csv;charset=utf-8," + encodeURIComponent(text);
      save.download = `${list.value}.csv`;
    });
    // What is chosen is kept in the address, so that it can be passed on.
    const keep = () => {
      const kept = new URLSearchParams(location.hash.slice(1));
      kept.set("list", list.value);
      kept.set("filter", filter.value);
      history.replaceState(null, "", "#" + kept);
    };
    const said = new URLSearchParams(location.hash.slice(1));
    if (lists.includes(said.get("list"))) list.value = said.get("list");
    filter.value = said.get("filter") ?? "";
    list.addEventListener("change", () => { order = null; keep(); fill(); });
    filter.addEventListener("input", () => { keep(); fill(); });
    fill();
  }

  // Dark where the system is, until someone chooses.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = (theme) => {
    document.documentElement.dataset.theme = theme;
    pages.forEach(draw);
  };
  dark.addEventListener("change", () => paint(dark.matches ? "dark" : "light"));
  document.getElementById("theme").addEventListener("click", () => paint(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  addEventListener("resize", () => pages.forEach((page) => page.chart.resize()));
  paint(dark.matches ? "dark" : "light");
  document.documentElement.dataset.charts = pages.length;
})();

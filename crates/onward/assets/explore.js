// Draws a study from its results, which lie in the page as JSON with the keys that `--json` has.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { objectives, parameters, designs } = data;
  const palette = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999", "#f0e442"];
  const cards = document.getElementById("cards");
  const pages = [];
  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
  const figure = (value) => {
    if (value === null || value === undefined) return "–";
    if (typeof value !== "number" || Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
    return Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5 ? String(Number(value.toPrecision(4))) : value.toExponential(3);
  };
  const card = (title, note, wide = true) => {
    const made = element("section", { className: wide ? "card wide" : "card" }, element("h2", { textContent: title }));
    if (note) made.append(element("p", { className: "note", textContent: note }));
    cards.append(made);
    return made;
  };
  const chart = (parent, option, ready) => {
    const place = element("div", { className: "chart tall" });
    parent.append(place);
    const page = { place, option, ready, chart: null };
    pages.push(page);
    return page;
  };
  const draw = (page) => {
    const style = getComputedStyle(document.documentElement);
    const [text, soft, line, ground] = ["--text", "--soft", "--line", "--card"].map((name) => style.getPropertyValue(name).trim());
    page.chart?.dispose();
    page.chart = echarts.init(page.place, null, { renderer: "canvas" });
    const axis = { axisLine: { lineStyle: { color: line } }, axisLabel: { color: soft }, splitLine: { lineStyle: { color: line } }, nameTextStyle: { color: soft } };
    const option = page.option({ text, soft, line, ground, axis });
    const tooltip = { backgroundColor: ground, borderColor: line, textStyle: { color: text }, confine: true };
    page.chart.setOption({ color: palette, animation: false, textStyle: { color: text }, ...option, tooltip: { ...tooltip, ...option.tooltip } });
    page.ready?.(page.chart);
  };

  document.getElementById("title").textContent = `Designs of ${data.space}`;
  document.getElementById("what").textContent = `onward explore · ${data.network} · ${data.method}, seed ${data.seed} · onward ${data.onward_version}`;
  const tile = (key, value, what) => {
    const made = element("div", { className: "tile" }, element("b", { textContent: figure(value) }), element("span", { textContent: what }));
    made.dataset.key = key;
    made.dataset.value = value;
    document.getElementById("tiles").append(made);
  };
  const ran = designs.filter((design) => Object.keys(design.objectives).length > 0);
  tile("designs", designs.length, "designs looked at");
  tile("networks_learned", data.networks_learned, "networks learned");
  tile("front", data.front.length, "designs on the front");
  tile("refused", designs.length - ran.length, "could not be had");
  const last = data.history[data.history.length - 1];
  if (last) tile("hypervolume_percent", Number(last.hypervolume_percent.toFixed(1)), "% of the volume");

  // Which design is looked into, and which are brushed.
  let brushed = null;
  const kind = (design) => (design.front ? 0 : design.candidate ? 1 : 2);
  const kinds = ["on the front", "other candidates", "thinned out, or against a constraint"];
  const values = Object.fromEntries(objectives.map(({ name }) => [name, ran.map((design) => design.objectives[name])]));
  const isLogarithmic = (name) => {
    const lowest = Math.min(...values[name]), highest = Math.max(...values[name]);
    return lowest > 0 && highest > 10 * lowest;
  };
  const told = (design) => [
    `<b>${escape(design.id)}</b>`,
    ...objectives.map(({ name }) => `${escape(name)}: ${figure(design.objectives[name])}`),
    ...parameters.filter(({ name }) => name in design.parameters).map(({ name }) => `${escape(name)} = ${escape(design.parameters[name])}`),
  ].join("<br>");

  const scatter = card("Designs", "Each point is a design that ran. Choose what lies along the axes; draw a frame (the symbol at the top) to see below what its designs have in common; choose a point to look into it.");
  const row = element("div", { className: "row" });
  scatter.append(row);
  const measures = [...new Set(ran.flatMap((design) => Object.keys(design.measures)))].filter((name) => !name.includes(".")).sort();
  const names = [...new Set([...objectives.map(({ name }) => name), ...measures])];
  const value = (design, name) => design.objectives[name] ?? design.measures[name];
  const chooser = (label, chosen) => {
    const select = element("select", { title: label });
    select.append(...names.map((name) => element("option", { value: name, textContent: name, selected: name === chosen })));
    row.append(element("label", { textContent: `${label} ` }, select));
    select.addEventListener("change", () => draw(points));
    return select;
  };
  const second = objectives[1]?.name ?? measures[0];
  const across = chooser("across", second), up = chooser("up", objectives[0].name), size = chooser("size", objectives[2]?.name ?? objectives[0].name);
  const axisOf = (colours, name) => {
    const numbers = ran.map((design) => value(design, name)).filter((number) => number !== undefined);
    const logarithmic = Math.min(...numbers) > 0 && Math.max(...numbers) > 10 * Math.min(...numbers);
    return { name, type: logarithmic ? "log" : "value", scale: true, nameLocation: "middle", nameGap: 34, ...colours.axis, axisLabel: { color: colours.soft, formatter: figure, hideOverlap: true } };
  };
  const points = chart(scatter, (colours) => {
    const sizes = ran.map((design) => value(design, size.value)).filter((number) => number !== undefined);
    const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
    const radius = (design) => (most > least ? 6 + 14 * Math.sqrt(((value(design, size.value) ?? least) - least) / (most - least)) : 9);
    return {
      legend: { top: 0, textStyle: { color: colours.text } },
      toolbox: { feature: { brush: { type: ["rect", "polygon", "clear"] }, dataZoom: {}, restore: {} }, iconStyle: { borderColor: colours.soft } },
      brush: { xAxisIndex: 0, yAxisIndex: 0, throttleType: "debounce", throttleDelay: 120 },
      grid: { left: 70, right: 20, top: 44, bottom: 56 },
      tooltip: { formatter: (at) => told(at.data.design) },
      xAxis: axisOf(colours, across.value),
      yAxis: axisOf(colours, up.value),
      series: kinds.map((name, which) => ({
        name, type: "scatter", itemStyle: { opacity: which === 0 ? 0.95 : 0.45 }, z: 3 - which,
        data: ran.filter((design) => kind(design) === which).map((design) => ({ value: [value(design, across.value), value(design, up.value)], symbolSize: radius(design), design })),
      })),
    };
  }, (drawn) => {
    drawn.on("click", (at) => at.data?.design && look(at.data.design));
    drawn.on("brushselected", (event) => {
      const chosen = event.batch[0].selected.flatMap((series, which) => {
        const own = ran.filter((design) => kind(design) === which);
        return series.dataIndex.map((at) => own[at].id);
      });
      brushed = event.batch[0].areas.length ? new Set(chosen) : null;
      draw(lines);
      list();
    });
  });

  const parallel = card("Parallel coordinates", "Each line is a design; frames along the axes leave only those that pass through all of them. What is framed above is shown here alone.");
  const lines = chart(parallel, (colours) => {
    const shown = ran.filter((design) => (brushed ? brushed.has(design.id) : true));
    const axes = [
      ...parameters.map(({ name, values }) => ({ name: name.split(".").pop(), type: "category", data: [...values.map(String), "–"] })),
      ...objectives.map(({ name, sense }) => ({ name, type: isLogarithmic(name) ? "log" : "value", scale: true, inverse: false, sense })),
    ].map((axis, dim) => ({ ...axis, dim, nameTextStyle: { color: colours.soft }, axisLine: { lineStyle: { color: colours.line } }, axisLabel: { color: colours.soft, formatter: axis.type === "category" ? undefined : figure } }));
    const of = (design) => [...parameters.map(({ name }) => (name in design.parameters ? String(design.parameters[name]) : "–")), ...objectives.map(({ name }) => design.objectives[name])];
    return {
      legend: { top: 0, textStyle: { color: colours.text } },
      parallel: { left: 40, right: 60, top: 70, bottom: 20 },
      parallelAxis: axes,
      series: kinds.map((name, which) => ({ name, type: "parallel", z: 3 - which, lineStyle: { width: which === 0 ? 2 : 1, opacity: which === 0 ? 0.85 : 0.25, color: palette[which] }, itemStyle: { color: palette[which] }, data: shown.filter((design) => kind(design) === which).map(of) })),
    };
  });

  const into = card("A design", "Its parameters, results, chip file, network, commands, energy and area.");
  const place = element("div");
  into.append(place);
  const look = (design) => {
    place.replaceChildren();
    const rows = [
      ...objectives.map(({ name }) => [name, figure(design.objectives[name])]),
      ...Object.entries(design.parameters).map(([name, value]) => [name, String(value)]),
      ...Object.entries(design.measures).filter(([name]) => !name.includes(".")).map(([name, value]) => [name, figure(value)]),
      ...Object.entries(design.labels).map(([name, text]) => [name, text.slice(0, 40)]),
    ];
    const table = element("table", {}, element("tbody", {}, ...rows.map(([name, value]) => element("tr", {}, element("td", { textContent: name }), element("td", { textContent: value })))));
    const chip = design.chip_file ?? "";
    const right = element("div", {},
      element("p", { className: "note", textContent: "Its chip and network as files, and the command that runs them to the bit:" }),
      element("pre", { textContent: design.command, style: "white-space: pre-wrap" }),
      element("p", { className: "note", textContent: "With these files, its profile as a page: cores, layers, phases, what an update consists of:" }),
      element("pre", { className: "profile", textContent: design.profile_command ?? "", style: "white-space: pre-wrap" }),
      element("p", { className: "note", textContent: "Its chip file:" }),
      element("pre", { className: "scroll", textContent: chip }),
      element("p", { className: "note", textContent: "Its network:" }),
      element("pre", { className: "scroll", textContent: design.network_file ?? "" }));
    const save = element("button", { type: "button", textContent: "Save the chip file" });
    save.addEventListener("click", () => {
      const link = element("a", { href: URL.createObjectURL(new Blob([chip], { type: "text/plain" })), download: `${design.id}.toml` });
      link.click();
    });
    right.append(save);
    place.append(element("h2", { textContent: design.id }), element("div", { className: "beside" }, element("div", { className: "scroll" }, table), right));
    // Each as bars of its parts.
    for (const [whole, unit, note] of [
      ["training_energy_j", "J", "Energy of a training sample, by what it is spent on:"],
      ["inference_energy_j", "J", "Energy of an inference, by what it is spent on:"],
      ["area_mm2", "mm²", "Area, by what takes it:"],
    ]) {
      const parts = Object.entries(design.measures).filter(([name, part]) => name.startsWith(`${whole}.`) && part > 0).sort(([, a], [, b]) => b - a);
      if (!parts.length) continue;
      const bars = { place: element("div", { className: "chart" }), chart: null, option: (colours) => ({
        grid: { left: 8, right: 40, top: 8, bottom: 8, containLabel: true },
        tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, valueFormatter: (part) => `${figure(part)} ${unit}` },
        xAxis: { type: "value", ...colours.axis, axisLabel: { color: colours.soft, formatter: figure, hideOverlap: true } },
        yAxis: { type: "category", inverse: true, data: parts.map(([name]) => name.split(".")[1].replaceAll("_", " ")), ...colours.axis },
        series: [{ type: "bar", data: parts.map(([, part]) => part) }],
      }) };
      place.append(element("p", { className: "note", textContent: note }), bars.place);
      draw(bars);
    }
    history.replaceState(null, "", `#${design.id}`);
  };

  if (data.effects?.length) {
    for (const effect of data.effects) {
      const made = card(`What matters for ${effect.objective}`, "Share of what differs between designs that goes with a parameter, or with two together beyond each alone; the line spans nine of ten draws of the bootstrap.", false);
      const all = [...effect.main.map((one) => ({ ...one, name: one.parameter.split(".").pop() })), ...effect.pairs.slice(0, 5).map((one) => ({ ...one, name: one.parameters.map((name) => name.split(".").pop()).join(" × ") }))].sort((a, b) => b.percent - a.percent);
      chart(made, (colours) => ({
        grid: { left: 8, right: 40, top: 8, bottom: 8, containLabel: true },
        tooltip: { formatter: (at) => `${escape(all[at.dataIndex].name)}: ${all[at.dataIndex].percent.toFixed(1)} % (${all[at.dataIndex].lowest.toFixed(1)} to ${all[at.dataIndex].highest.toFixed(1)})` },
        xAxis: { type: "value", ...colours.axis },
        yAxis: { type: "category", inverse: true, data: all.map((one) => one.name), ...colours.axis },
        series: [
          { type: "bar", data: all.map((one) => one.percent) },
          { type: "custom", z: 5, data: all.map((one, at) => [one.lowest, one.highest, at]), tooltip: { show: false }, renderItem: (_, api) => {
            const [from, to] = [api.coord([api.value(0), api.value(2)]), api.coord([api.value(1), api.value(2)])];
            return { type: "line", shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] }, style: { stroke: colours.text, lineWidth: 1.5 } };
          } },
        ],
      }));
    }
  }
  chart(card("Hypervolume over time", "Share of the volume between the best and the worst that the front dominates.", false), (colours) => ({
    grid: { left: 50, right: 20, top: 20, bottom: 44 },
    tooltip: { trigger: "axis", valueFormatter: (value) => `${figure(value)} %` },
    xAxis: { type: "value", name: "designs", nameLocation: "middle", nameGap: 26, ...colours.axis },
    yAxis: { type: "value", scale: true, ...colours.axis },
    series: [{ type: "line", step: "end", data: data.history.map((one) => [one.designs, one.hypervolume_percent]) }],
  }));

  const all = card("All designs", "Sort by a heading; choose a row to look into it.");
  const holder = element("div", { className: "scroll" });
  all.append(holder);
  const columns = [["id", (design) => design.id], ...objectives.map(({ name }) => [name, (design) => design.objectives[name]]), ...parameters.map(({ name }) => [name.split(".").pop(), (design) => design.parameters[name]]), ["", (design) => (design.front ? "front" : design.reason ?? (design.in_full ? "" : "thinned out"))]];
  let order = [1, objectives[0].sense === "maximize" ? -1 : 1];
  const list = () => {
    const [column, sense] = order;
    const of = columns[column][1];
    const shown = designs.filter((design) => (brushed ? brushed.has(design.id) : true)).sort((a, b) => {
      const [x, y] = [of(a), of(b)];
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
      return (x < y ? -1 : x > y ? 1 : 0) * sense;
    });
    const head = element("tr", {}, ...columns.map(([name], at) => {
      const cell = element("th", { textContent: name });
      cell.addEventListener("click", () => { order = [at, order[0] === at ? -order[1] : 1]; list(); });
      return cell;
    }));
    const rows = shown.map((design) => {
      const made = element("tr", {}, ...columns.map(([, of]) => element("td", { textContent: figure(of(design)) })));
      made.addEventListener("click", () => { look(design); into.scrollIntoView(); });
      return made;
    });
    holder.replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
  };

  const theme = (name) => {
    document.documentElement.dataset.theme = name;
    pages.forEach(draw);
  };
  document.getElementById("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  theme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  addEventListener("resize", () => pages.forEach((page) => page.chart?.resize()));
  list();
  const asked = designs.find((design) => design.id === location.hash.slice(1)) ?? designs.find((design) => design.id === data.front[0]);
  if (asked) look(asked);
})();

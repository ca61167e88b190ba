"use strict";
(() => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const $ = (id) => document.getElementById(id);
  const STORE = `xaibench-${content.study}-${content.reader}`;
  const LOWEST = 1, HIGHEST = 5, MOST_OUTLINES = 50, MOST_POINTS = 5000, LEAST_STEP = 0.3;
  // ratings: item -> {question: number}; outlines: image -> closed polygons in pixels of the image
  let state = { ratings: {}, outlines: {}, at: 0 };
  let question = 0, sketch = [], stroke = null;

  // ---------------------------------------------------------------- what is known

  const names = content.questions.map((q) => q.name);
  const item = () => content.items[state.at];
  const isRated = (one) => names.every((name) => (state.ratings[one.item] || {})[name]);
  const isDrawn = (one) => one.image in state.outlines;
  const isDone = (one) => isRated(one) && isDrawn(one);

  function keep() {
    try { localStorage.setItem(STORE, JSON.stringify(state)); }
    catch { say("This browser keeps no progress: save the ratings before you close the page."); }
  }

  function say(text) { $("message").textContent = text; }

  // ---------------------------------------------------------------- what is shown

  function show() {
    const done = content.items.filter(isDone).length, all = content.items.length;
    const finished = state.at >= all;
    $("progress").textContent = finished ? `${done} of ${all} maps rated`
      : `Map ${state.at + 1} of ${all}; ${done} rated`;
    $("done").style.width = `${100 * done / all}%`;
    $("finished").hidden = !finished;
    $("drawing").hidden = finished || isDrawn(item());
    $("rating").hidden = finished || !isDrawn(item());
    if (finished) return;
    const image = content.images[item().image];
    document.querySelectorAll(".class").forEach((place) => { place.textContent = image["class"]; });
    if (isDrawn(item())) showRating(image); else showDrawing();
  }

  function showRating(image) {
    $("plain").src = $("under").src = image.source;
    $("over").src = $("map").src = item().source;
    const given = state.ratings[item().item] || {};
    content.questions.forEach((q, number) => {
      const box = $(`q-${q.name}`);
      box.classList.toggle("active", number === question);
      box.querySelectorAll("input").forEach((input) => { input.checked = Number(input.value) === given[q.name]; });
    });
    $("next").disabled = !isRated(item());
    $("back").disabled = state.at === 0;
  }

  function makeQuestions() {
    content.questions.forEach((q, number) => {
      const box = document.createElement("fieldset"), legend = document.createElement("legend");
      const scale = document.createElement("div");
      box.id = `q-${q.name}`;
      legend.textContent = q.text;
      scale.className = "scale";
      scale.append(note(`${LOWEST} = ${q.low}`));
      for (let value = LOWEST; value <= HIGHEST; value += 1) scale.append(choice(q.name, number, value));
      scale.append(note(`${HIGHEST} = ${q.high}`));
      box.append(legend, scale);
      $("questions").append(box);
    });
  }

  function note(text) {
    const span = document.createElement("span");
    span.textContent = text;
    return span;
  }

  function choice(name, number, value) {
    const label = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, { type: "radio", name, value });
    input.addEventListener("change", () => { question = number; rate(value); });
    label.append(input, ` ${value}`);
    return label;
  }

  // ---------------------------------------------------------------- rating

  function rate(value) {
    const given = state.ratings[item().item] || {};
    state.ratings[item().item] = { ...given, [names[question]]: value };
    question = Math.min(question + 1, names.length - 1);
    keep();
    show();
  }

  function go(step) {
    const next = state.at + step;
    if (next < 0 || (step > 0 && state.at < content.items.length && !isDone(item()))) return;
    state.at = Math.min(next, content.items.length);
    question = 0;
    sketch = [];
    keep();
    show();
  }

  // ---------------------------------------------------------------- drawing

  const canvas = $("canvas");
  const picture = new Image();

  function showDrawing() {
    picture.onload = paint;
    picture.src = content.images[item().image].source;
    $("drawn").disabled = sketch.length === 0;
  }

  function paint() {
    const image = content.images[item().image], pen = canvas.getContext("2d");
    canvas.width = 2 * picture.naturalWidth;
    canvas.height = canvas.width * image.height / image.width;
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const size = canvas.width / image.width;
    for (const outline of stroke ? [...sketch, stroke] : sketch) {
      // Two tones show on any grey.
      line(pen, outline, size, "#000", 5);
      line(pen, outline, size, "#ffd23f", 2);
    }
  }

  function line(pen, outline, size, colour, width) {
    pen.beginPath();
    outline.forEach(([x, y]) => pen.lineTo(x * size, y * size));
    pen.closePath();
    Object.assign(pen, { strokeStyle: colour, lineWidth: width });
    pen.stroke();
  }

  function place(event) {
    const image = content.images[item().image], box = canvas.getBoundingClientRect();
    const within = (share, size) => Math.round(100 * size * Math.min(1, Math.max(0, share))) / 100;
    return [within((event.clientX - box.left) / box.width, image.width),
            within((event.clientY - box.top) / box.height, image.height)];
  }

  function extend(point) {
    if (document.querySelector("input[name=tool]:checked").value === "box") {
      const [x, y] = stroke[0];
      stroke = [[x, y], [point[0], y], point, [x, point[1]]];
      return;
    }
    const last = stroke[stroke.length - 1];
    const far = Math.hypot(point[0] - last[0], point[1] - last[1]) >= LEAST_STEP;
    if (far && stroke.length < MOST_POINTS) stroke.push(point);
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (sketch.length >= MOST_OUTLINES) return;
    canvas.setPointerCapture(event.pointerId);
    stroke = [place(event)];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    extend(place(event));
    paint();
  });
  function finish() {
    if (stroke && stroke.length >= 3) sketch.push(stroke);
    stroke = null;
    $("drawn").disabled = sketch.length === 0;
    paint();
  }
  canvas.addEventListener("pointerup", finish);
  canvas.addEventListener("pointercancel", finish);

  function draw(outlines) {
    state.outlines[item().image] = outlines;
    sketch = [];
    keep();
    show();
  }

  $("clear").addEventListener("click", () => { sketch = []; $("drawn").disabled = true; paint(); });
  $("nothing").addEventListener("click", () => draw([]));
  $("drawn").addEventListener("click", () => draw(sketch));

  // ---------------------------------------------------------------- saving and loading

  function saved() {
    const rated = content.items.filter(isRated).map((one) => ({ item: one.item, ratings: state.ratings[one.item] }));
    const drawn = Object.entries(state.outlines).map(([image, outlines]) => ({ image, outlines }));
    return { format: content.format, study: content.study, reader: content.reader, rated, drawn };
  }

  $("save").addEventListener("click", () => {
    const text = JSON.stringify(saved()), link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = `ratings-${content.reader}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    const missing = content.items.filter((one) => !isDone(one)).length;
    say(missing ? `Saved; ${missing} maps are still to be rated.` : "Saved; all maps are rated.");
  });

  function load(text) {
    const found = JSON.parse(text);
    if (found.study !== content.study || found.reader !== content.reader) {
      throw new Error("it is of another reader or another study");
    }
    const items = new Set(content.items.map((one) => one.item));
    const ratings = found.rated.filter((one) => items.has(one.item)).map((one) => [one.item, one.ratings]);
    const outlines = found.drawn.filter((one) => one.image in content.images).map((one) => [one.image, one.outlines]);
    state = { ratings: Object.fromEntries(ratings), outlines: Object.fromEntries(outlines), at: 0 };
    while (state.at < content.items.length && isDone(item())) state.at += 1;
  }

  $("load").addEventListener("change", async (event) => {
    try {
      load(await event.target.files[0].text());
      keep();
      show();
      say("Loaded.");
    } catch (error) {
      say(`This file cannot be loaded: ${error.message}.`);
    }
    event.target.value = "";
  });

  // ---------------------------------------------------------------- keys

  const MOVES = { ArrowLeft: () => go(-1), ArrowRight: () => go(1), ArrowUp: () => ask(-1), ArrowDown: () => ask(1) };

  function ask(step) {
    question = Math.min(Math.max(question + step, 0), names.length - 1);
    show();
  }

  function enter() {
    if (!$("drawing").hidden) $("drawn").click(); else go(1);
  }

  document.addEventListener("keydown", (event) => {
    const tag = event.target.tagName, isRating = !$("rating").hidden;
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.type === "file") return;
    if (event.key === "Enter" && tag !== "BUTTON") enter();
    else if (isRating && /^[1-5]$/.test(event.key)) rate(Number(event.key));
    else if (event.key in MOVES && event.target.name !== "tool") MOVES[event.key]();
    else return;
    event.preventDefault();
  });
  $("next").addEventListener("click", () => go(1));
  $("back").addEventListener("click", () => go(-1));
  $("again").addEventListener("click", () => go(-1));

  try { state = { ...state, ...JSON.parse(localStorage.getItem(STORE) || "{}") }; } catch { keep(); }
  makeQuestions();
  show();
})();

/* The viewer: slice and map of one case, by two methods side by side. Values come as grey pictures, whose bytes
   are turned into colours here, so that opacity and threshold change at once. Text from the run is set as text only. */

const VIEWER = document.getElementById("viewer");
const INDEX = JSON.parse(document.getElementById("viewer-index").textContent);
const TABLE = document.getElementById("case-table");
const FILTERS = document.getElementById("case-filters");
const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8];
const SIGNED_ZERO = 128, SIGNED_STEPS = 127, TOP = 255;
const PALETTES = Object.fromEntries(Object.entries(INDEX.palettes).map(([name, text]) => [name, bytesOf(text)]));

const part = (name, within = VIEWER) => within.querySelector(`[data-part="${name}"]`);
const panels = [...VIEWER.querySelectorAll("[data-panel]")];
const state = { number: 0, zoom: 0, pictures: null, drawn: [null, null] };
const loaded = new Map();

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/* ---- pictures: inside the page, or in a file beside it that is loaded as a script ---- */

function picturesOf(number) {
  if (!loaded.has(number)) loaded.set(number, inside(number) ?? beside(number));
  return loaded.get(number);
}

function inside(number) {
  const found = document.querySelector(`script[data-pictures="${number}"]`);
  return found && Promise.resolve(JSON.parse(found.textContent));
}

const waiting = new Map();
window.xaibenchPictures = (number, pictures) => waiting.get(number)?.(pictures);

function beside(number) {
  return new Promise((resolve, reject) => {
    waiting.set(number, resolve);
    const script = document.createElement("script");
    script.src = `report/case-${number}.js`;
    script.addEventListener("error", () => {
      loaded.delete(number);
      reject(new Error(`${script.getAttribute("src")} is missing: keep the folder "report" beside this page.`));
    });
    document.head.append(script);
  });
}

async function decoded(base64) {
  const image = new Image();
  image.src = `data:image/png;base64,${base64}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  return { width: image.width, height: image.height, values: data.filter((_, place) => place % 4 === 0) };
}

/* ---- colours ---- */

function shareOf(byte, signed) {
  return signed ? Math.abs(byte - SIGNED_ZERO) / SIGNED_STEPS : byte / TOP;
}

/* How much each byte's colour covers the slice: nothing below the threshold; from half of the largest value on, all
   that the opacity allows. Without the slice, colours stand as they are. */
function weightsOf(signed, { opacity, threshold, anatomy }) {
  const weight = (share) => (share < threshold ? 0 : anatomy ? opacity * Math.min(1, 2 * share) : 1);
  return Array.from({ length: TOP + 1 }, (_, byte) => weight(shareOf(byte, signed)));
}

function colour(pixels, slice, map, chosen) {
  const palette = map && PALETTES[map.signed ? "signed" : "unsigned"];
  const weights = map && weightsOf(map.signed, chosen);
  slice.values.forEach((value, place) => {
    const grey = chosen.anatomy ? value : 0, byte = map ? map.values[place] : 0, weight = map ? weights[byte] : 0;
    for (let channel = 0; channel < 3; channel += 1) {
      const tint = map ? palette[3 * byte + channel] : 0;
      pixels[4 * place + channel] = grey + weight * (tint - grey);
    }
    pixels[4 * place + 3] = TOP;
  });
}

/* ---- what is shown ---- */

const current = () => INDEX.cases[state.number];
const methodOf = (panel) => Number(part("method", panel).value);
const brief = (value) => (value === null ? "-" : String(Number(value.toPrecision(3))));

function settings() {
  return {
    opacity: part("opacity").value / 100,
    threshold: part("threshold").value / 100,
    anatomy: part("anatomy").checked,
  };
}

function paint() {
  const chosen = settings();
  part("opacity-value").value = `${part("opacity").value} %`;
  part("threshold-value").value = `${part("threshold").value} % of the largest`;
  panels.forEach((panel, side) => { if (state.drawn[side]) paintPanel(panel, state.drawn[side], chosen); });
}

function paintPanel(panel, drawn, chosen) {
  const canvas = part("canvas", panel), { slice, map } = drawn;
  canvas.width = slice.width;
  canvas.height = slice.height;
  const context = canvas.getContext("2d"), picture = context.createImageData(slice.width, slice.height);
  colour(picture.data, slice, map, chosen);
  context.putImageData(picture, 0, 0);
  part("outline", panel).style.display = part("outlined").checked ? "" : "none";
}

async function drawPanel(panel, side, pictures) {
  const method = methodOf(panel), found = method < 0 ? null : pictures.maps[method];
  const slice = await decoded(pictures.slice);
  const map = found?.png ? { ...found, ...(await decoded(found.png)) } : null;
  if (pictures !== state.pictures || method !== methodOf(panel)) return;
  state.drawn[side] = { slice, map };
  part("shown", panel).hidden = method < 0;
  outline(panel);
  caption(panel, method, found);
}

function outline(panel) {
  const { outline: path, shape: [height, width], spacing } = current();
  const [down, across] = spacing ?? [1, 1];
  const svg = part("outline", panel);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  for (const line of svg.children) line.setAttribute("d", path ?? "");
  for (const name of ["window", "stage"]) part(name, panel).style.aspectRatio = `${width * across} / ${height * down}`;
}

function caption(panel, method, found) {
  const name = INDEX.methods[method] ?? "no map";
  const value = `${metric().name}: ${brief(valueAt(state.number, method)).replace(/^-$/, "not measured here")}. `;
  part("words", panel).textContent = found ? value + found.words : "";
  part("window", panel).setAttribute("aria-label", `${name}: map of ${current().name}`);
  part("bar", panel).hidden = !found?.png;
  part("bar", panel).className = `bar ${found?.signed ? "signed" : "unsigned"}`;
  part("low", panel).textContent = found?.png ? brief(found.signed ? -found.limit : 0) : "";
  part("high", panel).textContent = found?.png ? brief(found.limit) : "";
}

async function show(number) {
  state.number = number;
  describe();
  try {
    const pictures = await picturesOf(number);
    if (number !== state.number) return;
    state.pictures = pictures;
    part("problem").hidden = true;
    await redraw();
  } catch (error) {
    part("problem").textContent = error.message;
    part("problem").hidden = false;
  }
}

async function redraw() {
  const { pictures } = state;
  if (!pictures) return;
  await Promise.all(panels.map((panel, side) => drawPanel(panel, side, pictures)));
  paint();
  panels.forEach(rule);
  VIEWER.dataset.drawn = `${state.number} ${panels.map(methodOf)}`;
}

function describe() {
  const order = visibleRows(), place = order.indexOf(rowOf(state.number));
  part("name").textContent = current().name;
  part("place").textContent = place < 0 ? "not among the cases shown" : `${place + 1} of ${order.length}`;
  part("about").textContent = current().about;
  const slices = slicesOfPatient();
  part("slices").hidden = slices.length < 2;
  part("slice").textContent = `slice ${slices.indexOf(state.number) + 1} of ${slices.length} of the patient`;
  for (const row of TABLE.tBodies[0].rows) row.toggleAttribute("aria-current", row === rowOf(state.number));
}

/* ---- order of the cases: that of the table ---- */

const rowOf = (number) => TABLE.tBodies[0].querySelector(`tr[data-case="${number}"]`);
const visibleRows = () => [...TABLE.tBodies[0].rows].filter((row) => !row.hidden && row.dataset.case !== undefined);
const metric = () => INDEX.metrics[part("metric", FILTERS).value] ?? { name: "value", higher: true };

function valueAt(number, method) {
  return INDEX.cases[number].values[part("metric", FILTERS).value]?.[method] ?? null;
}

function step(by) {
  const order = visibleRows(), place = order.indexOf(rowOf(state.number));
  const next = order[Math.min(order.length - 1, Math.max(0, place + by))];
  if (next) show(Number(next.dataset.case));
}

function slicesOfPatient() {
  const { patient, copy, name } = current();
  const target = copy ? name.slice(copy.length) : "";
  const same = (other) => other.patient === patient && (other.copy ? other.name.slice(other.copy.length) : "") === target;
  const numbers = INDEX.cases.map((_, number) => number).filter((number) => same(INDEX.cases[number]));
  return numbers.sort((a, b) => INDEX.cases[a].slice - INDEX.cases[b].slice);
}

function stepSlice(by) {
  const slices = slicesOfPatient(), next = slices[slices.indexOf(state.number) + by];
  if (next !== undefined) show(next);
}

function fillValues() {
  const method = methodOf(panels[0]), column = part("value", TABLE);
  const target = column.querySelector("button") ?? column;
  target.textContent = `${metric().name} of ${INDEX.methods[method] ?? "-"}`;
  column.hidden = false;
  for (const row of TABLE.tBodies[0].rows) {
    if (row.dataset.case === undefined) continue;
    const cell = row.cells[row.cells.length - 1], value = valueAt(Number(row.dataset.case), method);
    cell.textContent = brief(value);
    cell.dataset.value = value ?? "";
    cell.hidden = false;
  }
}

function filter() {
  const wanted = [...FILTERS.querySelectorAll("[data-filter]")].filter((choice) => choice.value);
  for (const row of TABLE.tBodies[0].rows) {
    row.hidden = wanted.some((choice) => row.dataset[choice.dataset.filter] !== choice.value);
  }
  const order = visibleRows();
  part("count", FILTERS).textContent = `${order.length} of ${INDEX.cases.length} cases`;
  if (order.length && !order.includes(rowOf(state.number))) show(Number(order[0].dataset.case));
  else describe();
}

const worstButton = FILTERS.querySelector('[data-do="worst"]');

function worstFirst(on) {
  worstButton.setAttribute("aria-pressed", String(on));
  if (on) sortTable(TABLE, Number(part("value", TABLE).dataset.column), metric().higher);
  else inOrderOfTheRun();
  const first = visibleRows()[0];
  if (first) show(Number(first.dataset.case));
}

function inOrderOfTheRun() {
  const rows = [...TABLE.tBodies[0].rows].sort((a, b) => a.dataset.case - b.dataset.case);
  TABLE.tBodies[0].append(...rows);
  for (const head of TABLE.tHead.querySelectorAll("[aria-sort]")) head.removeAttribute("aria-sort");
}

function chooseMethod() {
  fillValues();
  if (worstButton.getAttribute("aria-pressed") === "true") worstFirst(true);
  else redraw();
}

/* ---- zoom and scale bar ---- */

/* What stood in the middle stays there. */
function magnify(panel) {
  const view = part("window", panel), zoom = ZOOMS[state.zoom];
  const across = (view.scrollLeft + view.clientWidth / 2) / view.scrollWidth;
  const down = (view.scrollTop + view.clientHeight / 2) / view.scrollHeight;
  part("stage", panel).style.width = `${100 * zoom}%`;
  view.scrollTo(across * view.scrollWidth - view.clientWidth / 2, down * view.scrollHeight - view.clientHeight / 2);
}

/* The longest of 1, 2, 5, 10 ... that is at most this long. */
function roundLength(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return power * [5, 2, 1].find((factor) => factor * power <= most);
}

function rule(panel) {
  const { spacing, shape } = current(), ruler = part("ruler", panel), pixels = part("stage", panel).clientWidth;
  ruler.hidden = spacing === null || pixels === 0;
  if (ruler.hidden) return;
  const perPixel = (shape[1] * spacing[1]) / pixels;
  const length = roundLength((perPixel * part("window", panel).clientWidth) / 3);
  ruler.style.width = `${length / perPixel}px`;
  ruler.firstElementChild.textContent = `${length} mm`;
}

function zoomBy(steps) {
  state.zoom = Math.min(ZOOMS.length - 1, Math.max(0, state.zoom + steps));
  part("zoom").value = `${ZOOMS[state.zoom]}×`;
  panels.forEach(magnify);
}

function pan(across, down) {
  const view = part("window", panels[0]);
  view.scrollBy(across * view.clientWidth * 0.2, down * view.clientHeight * 0.2);
}

function together(panel) {
  const from = part("window", panel);
  for (const other of panels) {
    if (other !== panel) part("window", other).scrollTo(from.scrollLeft, from.scrollTop);
  }
}

/* ---- keys and clicks ---- */

function nudge(name, by) {
  const slider = part(name);
  slider.value = Number(slider.value) + by * Number(slider.step);
  paint();
}

function toggle(name) {
  part(name).checked = !part(name).checked;
  paint();
}

function nextMethod(side, by) {
  const choice = part("method", panels[side]), count = choice.options.length;
  choice.selectedIndex = (choice.selectedIndex + by + count) % count;
  if (side === 0) chooseMethod();
  else redraw();
}

const actions = {
  previous: () => step(-1),
  next: () => step(1),
  sliceBelow: () => stepSlice(-1),
  sliceAbove: () => stepSlice(1),
  zoomIn: () => zoomBy(1),
  zoomOut: () => zoomBy(-1),
  worst: () => worstFirst(worstButton.getAttribute("aria-pressed") !== "true"),
  help: () => part("help").showModal(),
  closeHelp: () => part("help").close(),
};

const keys = {
  ArrowLeft: actions.previous, ArrowRight: actions.next, ArrowUp: actions.sliceBelow, ArrowDown: actions.sliceAbove,
  "Shift+ArrowLeft": () => pan(-1, 0), "Shift+ArrowRight": () => pan(1, 0),
  "Shift+ArrowUp": () => pan(0, -1), "Shift+ArrowDown": () => pan(0, 1),
  "[": () => nextMethod(0, -1), "]": () => nextMethod(0, 1), "{": () => nextMethod(1, -1), "}": () => nextMethod(1, 1),
  "+": actions.zoomIn, "=": actions.zoomIn, "-": actions.zoomOut, 0: () => zoomBy(-ZOOMS.length),
  o: () => nudge("opacity", -1), O: () => nudge("opacity", 1),
  t: () => nudge("threshold", -1), T: () => nudge("threshold", 1),
  l: () => toggle("outlined"), s: () => toggle("anatomy"), w: actions.worst, "?": actions.help,
};

/* A key that the focused control needs itself. */
function isTaken(event) {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || part("help").open) return true;
  return target.matches("select, input[type=search]") || (target.type === "range" && event.key.startsWith("Arrow"));
}

function press(event) {
  const name = event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key;
  if (isTaken(event) || !Object.hasOwn(keys, name)) return;
  event.preventDefault();
  keys[name]();
}

function click(event) {
  const button = event.target.closest("[data-do]");
  if (button) actions[button.dataset.do]();
}

/* ---- start ---- */

function addCaseButton(row) {
  const name = row.cells[0], button = document.createElement("button");
  button.type = "button";
  button.className = "open";
  button.append(...name.childNodes);
  button.addEventListener("click", () => {
    show(Number(row.dataset.case));
    VIEWER.scrollIntoView({ block: "nearest" });
  });
  name.append(button);
}

function listen() {
  for (const place of [VIEWER, FILTERS, TABLE]) place.addEventListener("keydown", press);
  for (const place of [VIEWER, FILTERS]) place.addEventListener("click", click);
  for (const name of ["opacity", "threshold", "outlined", "anatomy"]) part(name).addEventListener("input", paint);
  part("method", panels[0]).addEventListener("change", chooseMethod);
  part("method", panels[1]).addEventListener("change", redraw);
  part("metric", FILTERS).addEventListener("change", chooseMethod);
  for (const choice of FILTERS.querySelectorAll("[data-filter]")) choice.addEventListener("change", filter);
  for (const panel of panels) {
    part("window", panel).addEventListener("scroll", () => together(panel));
    new ResizeObserver(() => rule(panel)).observe(part("stage", panel));
  }
  TABLE.addEventListener("ordered", describe);
}

function start() {
  for (const row of visibleRows()) addCaseButton(row);
  VIEWER.hidden = false;
  FILTERS.hidden = false;
  if (panels[1].querySelectorAll("option").length < 3) part("method", panels[1]).value = "-1";
  listen();
  fillValues();
  filter();
  show(Number(visibleRows()[0].dataset.case));
}

if (INDEX.cases.length && INDEX.methods.length) start();

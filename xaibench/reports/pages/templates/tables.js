"use strict";
/* Tables of the class "sortable": a button in each header sorts, a field above hides rows by their text.
   Rows with a number stand before those without one, whichever way they are sorted. */

function valueOf(row, column) {
  const cell = row.cells[column];
  const text = cell ? (cell.dataset.value ?? cell.textContent).trim().replaceAll(",", "") : "";
  const number = Number.parseFloat(text);
  return { text, number: Number.isNaN(number) ? null : number };
}

function compareRows(a, b, column, direction) {
  const x = valueOf(a, column), y = valueOf(b, column);
  if (x.number !== null && y.number !== null) return direction * (x.number - y.number);
  if (x.number !== null || y.number !== null) return x.number === null ? 1 : -1;
  return direction * x.text.localeCompare(y.text, undefined, { numeric: true });
}

function sortTable(table, column, ascending) {
  for (const head of table.querySelectorAll("thead th[data-column]")) {
    const sorted = Number(head.dataset.column) === column;
    if (sorted) head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
  for (const body of table.tBodies) {
    const rows = [...body.querySelectorAll("tr[data-row]")];
    rows.sort((a, b) => compareRows(a, b, column, ascending ? 1 : -1));
    body.append(...rows);
  }
  table.dispatchEvent(new Event("ordered"));
}

function addSortButton(table, head) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  button.addEventListener("click", () => {
    sortTable(table, Number(head.dataset.column), head.getAttribute("aria-sort") !== "ascending");
  });
  head.append(button);
}

function hideRows(table, wanted) {
  for (const row of table.querySelectorAll("tr[data-row]")) {
    row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
  }
}

function addRowFilter(table) {
  const field = document.createElement("input");
  field.type = "search";
  field.placeholder = "filter by name";
  field.setAttribute("aria-label", `Filter the rows by the first column: ${table.caption.textContent}`);
  field.addEventListener("input", () => hideRows(table, field.value.trim().toLowerCase()));
  table.closest(".scroll").before(field);
}

/* Columns of groups of cases: one choice for all tables of the section. */
function addGroupFilter(section) {
  const tables = [...section.querySelectorAll("table")];
  const titles = [...new Set(tables.flatMap((t) => [...t.tHead.rows[0].cells].slice(1).map((c) => c.textContent)))];
  const choice = section.querySelector("select");
  for (const title of titles) choice.add(new Option(title, title));
  choice.addEventListener("change", () => tables.forEach((table) => showGroup(table, choice.value)));
  section.querySelector("label").hidden = tables.length === 0;
}

function showGroup(table, title) {
  const heads = [...table.tHead.rows[0].cells];
  const shown = heads.map((cell, number) => number === 0 || title === "" || cell.textContent === title);
  for (const row of table.rows) [...row.cells].forEach((cell, number) => { cell.hidden = !shown[number]; });
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const head of table.querySelectorAll("thead th[data-column]")) addSortButton(table, head);
  if (!table.classList.contains("unfiltered")) addRowFilter(table);
}
for (const section of document.querySelectorAll("[data-groups]")) addGroupFilter(section);

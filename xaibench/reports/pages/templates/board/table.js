"use strict";
/* Tables with the class "sortable": a click on a column's button sorts its rows, the field above hides rows.
   Without scripts the tables stand as they are: best first. */
for (const table of document.querySelectorAll("table.sortable")) {
  const number = (cell) => {
    const found = cell.dataset.value ?? cell.textContent.trim().replaceAll(",", "");
    const value = Number.parseFloat(found);
    return Number.isNaN(value) ? null : value;
  };
  /* What has no number comes last, whichever way the others are sorted. */
  const compare = (a, b, direction) => {
    const x = number(a), y = number(b);
    if (x !== null && y !== null) return direction * (x - y);
    if (x !== null || y !== null) return x !== null ? -1 : 1;
    return direction * a.textContent.trim().localeCompare(b.textContent.trim());
  };
  const sort = (column, header) => {
    const up = header.getAttribute("aria-sort") !== "ascending";
    for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", up ? "ascending" : "descending");
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => row.dataset.row !== undefined);
      rows.sort((a, b) => {
        const x = a.cells[column], y = b.cells[column];
        return x && y ? compare(x, y, up ? 1 : -1) : (x ? 0 : 1) - (y ? 0 : 1);
      });
      body.append(...rows);
    }
  };
  const heads = [...table.querySelectorAll("thead th[data-column]")];
  for (const header of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(Number(header.dataset.column), header));
    header.append(button);
  }
  const field = document.createElement("input");
  field.type = "search";
  field.placeholder = "filter rows";
  field.setAttribute("aria-label", "Filter the rows of this table; places stay those among all");
  field.addEventListener("input", () => {
    const wanted = field.value.toLowerCase();
    for (const row of table.querySelectorAll("tr[data-row]")) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
    }
  });
  table.parentElement.before(field);
}

// Filters and sorts the table of findings. The state lives in the address, so that a view can be shared:
// #findings?q=text&severity=High&outcome=Excess&connection=connection-id&sort=Severity&order=descending
(function () {
  "use strict";
  var form = document.getElementById("finding-filter");
  var table = document.getElementById("finding-table");
  if (!form || !table) { return; }
  var body = table.tBodies[0];
  var rows = Array.prototype.slice.call(body.rows);
  var headers = Array.prototype.slice.call(table.tHead.rows[0].cells);
  var names = ["q", "severity", "outcome", "connection"];
  var sort = "";
  var order = "ascending";

  function matches(row) {
    var text = form.elements.q.value.trim().toLowerCase();
    return row.textContent.toLowerCase().indexOf(text) !== -1 &&
      ["severity", "outcome", "connection"].every(function (name) {
        var wanted = form.elements[name].value;
        return !wanted || row.dataset[name] === wanted;
      });
  }

  function sortKey(row, column) {
    return column === 0 ? row.dataset.rank : row.cells[column].textContent.trim().toLowerCase();
  }

  function arrange() {
    var column = headers.findIndex(function (header) { return header.dataset.name === sort; });
    var arranged = rows.slice();
    if (column !== -1) {
      arranged.sort(function (one, other) {
        return sortKey(one, column).localeCompare(sortKey(other, column)) * (order === "ascending" ? 1 : -1);
      });
    }
    arranged.forEach(function (row) { body.appendChild(row); });
    headers.forEach(function (header, place) {
      header.setAttribute("aria-sort", place === column ? order : "none");
    });
  }

  function apply() {
    var shown = 0;
    rows.forEach(function (row) {
      row.hidden = !matches(row);
      shown += row.hidden ? 0 : 1;
    });
    var count = document.getElementById("finding-count");
    count.textContent = count.dataset.text.replace("{shown}", shown).replace("{all}", rows.length);
    arrange();
  }

  function remember() {
    var state = new URLSearchParams();
    names.forEach(function (name) {
      if (form.elements[name].value) { state.set(name, form.elements[name].value); }
    });
    if (sort) { state.set("sort", sort); state.set("order", order); }
    var query = state.toString();
    history.replaceState(null, "", query ? "#findings?" + query : "#findings");
    apply();
  }

  function recall() {
    var parts = location.hash.split("?");
    if (parts[0] !== "#findings" || parts.length < 2) { apply(); return; }
    var state = new URLSearchParams(parts[1]);
    names.forEach(function (name) { form.elements[name].value = state.get(name) || ""; });
    sort = state.get("sort") || "";
    order = state.get("order") === "descending" ? "descending" : "ascending";
    apply();
    document.getElementById("findings").scrollIntoView();
  }

  headers.forEach(function (header) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = header.dataset.name = header.textContent;
    header.textContent = "";
    header.appendChild(button);
    button.addEventListener("click", function () {
      order = sort === header.dataset.name && order === "ascending" ? "descending" : "ascending";
      sort = header.dataset.name;
      remember();
    });
  });
  form.addEventListener("input", remember);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { sort = ""; setTimeout(remember, 0); });
  window.addEventListener("hashchange", recall);
  form.hidden = false;
  recall();
}());

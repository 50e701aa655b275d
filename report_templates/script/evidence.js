// Shows very many reads a hundred at a time. Without script the browser shows what is in <noscript>: all of them.
// With script that is text, one line a row, which is searched and sorted as text and made into rows when shown.
(function () {
  "use strict";
  var SHOWN = 100;
  var ENTITIES = { "&lt;": "<", "&gt;": ">", "&#34;": "\"", "&#39;": "'", "&amp;": "&" };

  function plain(html) {
    return html.replace(/<[^>]*>/g, " ").replace(/&(?:lt|gt|amp|#34|#39);/g, function (entity) {
      return ENTITIES[entity];
    });
  }

  function read(source) {
    var rows = [];
    var question = "";
    source.split("\n").forEach(function (line) {
      var trimmed = line.trim();
      if (trimmed.indexOf("<tr id=") === 0) {
        rows.push({ html: trimmed, question: question, number: rows.length });
      } else if (trimmed.indexOf("<table") === 0) {
        question = trimmed.slice(trimmed.indexOf("<caption>") + 9, trimmed.indexOf("</caption>"));
      }
    });
    return rows;
  }

  function prepare(box) {
    var rows = read(box.querySelector("noscript").textContent);
    var form = box.querySelector("form");
    var table = box.querySelector("table");
    var pager = box.querySelector(".pager");
    var status = box.querySelector("[role=status]");
    var headers = Array.prototype.slice.call(table.tHead.rows[0].cells);
    var chosen = rows;
    var first = 0;
    var sort = { column: -1, falling: false };

    // still escaped: the order of names hardly changes by it, and twenty thousand are taken apart at once
    function key(row, column) {
      var cell = row.html.split("<td>")[column] || "";
      if (column === 3 || column === 4) { return Number(cell); }
      return column === 0 ? cell.slice(cell.indexOf("<th>") + 4) : cell;
    }

    function text(row) {
      if (row.text === undefined) { row.text = (plain(row.html) + " " + plain(row.question)).toLowerCase(); }
      return row.text;
    }

    function choose() {
      var wanted = form.elements.q.value.trim().toLowerCase();
      var state = form.elements.state.value;
      chosen = rows.filter(function (row) {
        return (!wanted || text(row).indexOf(wanted) !== -1) && (!state || key(row, 5).indexOf(state) === 0);
      });
      if (sort.column !== -1) {
        var sign = sort.falling ? -1 : 1;
        var keyed = chosen.map(function (row) { return { row: row, key: key(row, sort.column) }; });
        keyed.sort(function (one, other) {
          return one.key < other.key ? -sign : one.key > other.key ? sign : one.row.number - other.row.number;
        });
        chosen = keyed.map(function (one) { return one.row; });
      }
      first = 0;
      show();
    }

    function show() {
      var last = Math.min(first + SHOWN, chosen.length);
      var question = null;
      // our own markup, escaped when it was written, as the browser would have read it without script
      table.tBodies[0].innerHTML = chosen.slice(first, last).map(function (row) {
        var head = row.question === question ? "" : "<tr class=\"question\"><th scope=\"colgroup\" colspan=\"7\">" + row.question + "</th></tr>";
        question = row.question;
        return head + row.html;
      }).join("");
      status.textContent = status.dataset.text.replace("{shown}", chosen.length).replace("{all}", rows.length);
      var place = pager.querySelector("span");
      place.textContent = place.dataset.text.replace("{first}", Math.min(first + 1, last)).replace("{last}", last)
        .replace("{all}", chosen.length);
      pager.querySelector("[name=earlier]").disabled = first === 0;
      pager.querySelector("[name=later]").disabled = last === chosen.length;
      headers.forEach(function (header, column) {
        header.setAttribute("aria-sort", column === sort.column ? (sort.falling ? "descending" : "ascending") : "none");
      });
    }

    function find() {
      var wanted = "<tr id=\"" + location.hash.slice(1) + "\">";
      var place = rows.findIndex(function (row) { return row.html.indexOf(wanted) === 0; });
      if (place === -1) { return; }
      form.reset();
      sort.column = -1;
      chosen = rows;
      first = place - place % SHOWN;
      show();
      document.getElementById(location.hash.slice(1)).scrollIntoView();
    }

    headers.forEach(function (header, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = header.textContent;
      header.textContent = "";
      header.appendChild(button);
      button.addEventListener("click", function () {
        sort = { column: column, falling: sort.column === column && !sort.falling };
        choose();
      });
    });
    form.addEventListener("input", choose);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    pager.addEventListener("click", function (event) {
      if (event.target.name === "earlier") { first = Math.max(0, first - SHOWN); show(); }
      if (event.target.name === "later") { first += SHOWN; show(); }
    });
    window.addEventListener("hashchange", find);
    form.hidden = table.hidden = pager.hidden = false;
    show();
    if (location.hash) { find(); }
  }

  Array.prototype.forEach.call(document.querySelectorAll(".long-evidence"), prepare);
}());

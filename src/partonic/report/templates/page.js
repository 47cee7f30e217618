(function () {
  "use strict";
  function unfold() {
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) { return; }
    for (var node = target; node; node = node.parentElement) { if (node.tagName === "DETAILS") { node.open = true; } }
    var inner = target.querySelector(":scope > details");
    if (inner) { inner.open = true; }
    target.scrollIntoView();
  }
  function text(table) {
    return Array.from(table.rows, function (row) {
      return Array.from(row.cells, function (cell) { return cell.innerText.trim().replace(/\s+/g, " "); }).join("\t");
    }).join("\n");
  }
  window.addEventListener("hashchange", unfold);
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("section > details").forEach(function (each) { each.open = true; });
  });
  if (navigator.clipboard) {
    document.querySelectorAll("table > caption").forEach(function (caption) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = "copy";
      button.title = "Copy the table as text, cells with tabs between them";
      button.addEventListener("click", function () {
        navigator.clipboard.writeText(text(caption.parentElement)).then(function () { button.textContent = "copied"; },
          function () { button.textContent = "not allowed"; });
      });
      caption.appendChild(button);
    });
  }
  unfold();
})();

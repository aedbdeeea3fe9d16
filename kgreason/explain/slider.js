// Adds a slider to every trace: 0 shows all cycles, k shows cycle k alone. Without scripts all cycles are in sight.
for (const trace of document.querySelectorAll(".kgr")) {
  const cycles = [...trace.querySelectorAll(".kgr-cycle")];
  const control = trace.querySelector(".kgr-control");
  if (!control) continue;
  const input = document.createElement("input");
  const output = document.createElement("output");
  Object.assign(input, { type: "range", min: 0, max: cycles.length, value: 0, ariaLabel: "Cycle" });
  const show = () => {
    const k = Number(input.value);
    output.textContent = k ? `cycle ${k} of ${cycles.length}` : `all ${cycles.length} cycles`;
    cycles.forEach((cycle, i) => cycle.classList.toggle("kgr-off", k > 0 && i + 1 !== k));
  };
  input.addEventListener("input", show);
  control.append(input, output);
  control.style.display = "flex";
  show();
}

"""What is measured, a module a case: `measure(quick)` gives its rows."""

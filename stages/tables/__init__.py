"""The paper's table beside ours, as text, CSV, Markdown and LaTeX."""

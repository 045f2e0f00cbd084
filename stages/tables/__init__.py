"""The paper's tables beside ours, as text, CSV, Markdown and LaTeX."""

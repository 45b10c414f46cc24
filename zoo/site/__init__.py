"""A gallery of models as a static site: pages, pictures and tables for any web server, without one too."""

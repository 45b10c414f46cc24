"""What every folder uses: atomic writing, downloads, progress bars, processes, text files."""

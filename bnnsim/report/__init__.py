"""What people look at: the report page, timelines, waveforms, golden vectors, comparisons."""

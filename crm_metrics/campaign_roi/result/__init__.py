"""Did this campaign change what people did? This file stays empty, so that importing one part does not load the others."""

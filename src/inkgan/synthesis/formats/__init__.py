"""Writers of labeled data sets, one module for each family of formats."""

# The store. Nothing here deletes an image or a record: only `clean` knows what batches need, and a lifecycle rule knows
# nothing but ages.
resource "google_storage_bucket" "store" {
  name     = var.store
  location = var.region

  # IAM conditions apply only with uniform access.
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 24 * 3600
  }

  # Days by folder, after which `clean` and workers would remove the objects anyway (docs/store.md): nobody made them by
  # hand, and batches recreate them. Objects in objects/ and batches/ have no age limit; damaged/ may hold an image that
  # someone edited.
  dynamic "lifecycle_rule" {
    for_each = jsondecode(file("${path.module}/expiring.json"))
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value
        matches_prefix = [lifecycle_rule.key]
      }
    }
  }

  # `destroy` fails at once, before it removes anything else.
  force_destroy = false
  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.used]
}

# One folder for each bundle; render and encode workers mount the bucket.
resource "google_storage_bucket" "bundles" {
  name     = var.bundles
  location = var.region

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  force_destroy = false
  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.used]
}

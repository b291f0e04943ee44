# The store. Nothing here deletes a picture or a record: `clean` knows what batches need, and a lifecycle rule knows ages only.
resource "google_storage_bucket" "store" {
  name     = var.store
  location = var.region

  # Conditions of IAM count only with it.
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 24 * 3600
  }

  # By folder, the days after which `clean` and workers remove what is there anyway (docs/store.md): nobody made it by hand, and batches make it
  # anew. What is in objects/ and batches/ has no age; damaged/ may have a picture that somebody edited.
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

  # `destroy` fails at once, before it takes anything else away.
  force_destroy = false
  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.used]
}

# A folder for each bundle, which render and encode workers mount.
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
